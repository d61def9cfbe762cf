import type { EntityManager } from 'typeorm';
import type { SandboxInvoice, SandboxStore } from '#platform';
import { timestampText } from './timestamp-text.js';

/** A customer as a payment provider knows it. */
export interface ProviderCustomer {
  /** Null until an outcome told it. */
  readonly providerId: string | null;
  /** System time at which the first push for the customer was begun. */
  readonly firstPushAt: Temporal.Instant;
}

/** Of which organization, and where. */
export interface CustomersAtProvider {
  readonly organizationId: string;
  readonly provider: string;
}

/** What is known of customers at the provider; those for whom no push was ever begun are left out. */
export async function readProviderCustomers(manager: EntityManager, wanted: CustomersAtProvider & { readonly customerIds: readonly string[] }): Promise<Map<string, ProviderCustomer>> {
  const rows: { our_id: string; provider_id: string | null; created_at: string }[] = await manager.query(
    `select our_id, provider_id, created_at from provider_objects where organization_id = $1 and provider = $2 and kind = 'customer' and our_id = any($3)`,
    [wanted.organizationId, wanted.provider, wanted.customerIds],
  );
  return new Map(rows.map((row) => [row.our_id, { providerId: row.provider_id, firstPushAt: Temporal.Instant.from(row.created_at) }]));
}

export interface FirstPushes extends CustomersAtProvider {
  readonly customerIds: readonly string[];
  readonly at: Temporal.Instant;
}

/** Notes that pushes for the customers begin; must be committed before they do. */
export async function noteFirstPushes(manager: EntityManager, { organizationId, provider, customerIds, at }: FirstPushes): Promise<void> {
  await manager.query(
    `insert into provider_objects (organization_id, provider, kind, our_id, created_at)
     select $1, $2, 'customer', customer_id, $4 from unnest($3::text[]) as customer_id order by customer_id on conflict do nothing`,
    [organizationId, provider, [...new Set(customerIds)], timestampText(at)],
  );
}

/** Notes the provider's own ids of customers, by ours. */
export async function noteProviderCustomers(manager: EntityManager, noted: CustomersAtProvider & { readonly providerIds: ReadonlyMap<string, string> }): Promise<void> {
  await manager.query(
    `update provider_objects known set provider_id = given.provider_id from unnest($3::text[], $4::text[]) as given (our_id, provider_id)
     where organization_id = $1 and provider = $2 and kind = 'customer' and known.our_id = given.our_id and known.provider_id is distinct from given.provider_id`,
    [noted.organizationId, noted.provider, [...noted.providerIds.keys()], [...noted.providerIds.values()]],
  );
}

/**
 * What the sandbox remembers of one organization's invoices. It writes in the transaction of whoever asks: no second
 * connection is taken while the first is held, and what the sandbox did is there exactly when its outcome is.
 */
export class PostgresSandboxStore implements SandboxStore {
  constructor(
    private readonly manager: EntityManager,
    private readonly organizationId: string,
  ) {}

  async find(id: string): Promise<SandboxInvoice | null> {
    const rows: { body: SandboxInvoice }[] = await this.query(
      `select body from provider_objects where organization_id = $1 and provider = 'sandbox' and kind = 'sandbox_invoice' and our_id = $2`, [id]);
    return rows[0]?.body ?? null;
  }

  async insert(invoices: readonly SandboxInvoice[]): Promise<ReadonlySet<string>> {
    const rows: { our_id: string }[] = await this.query(
      `insert into provider_objects (organization_id, provider, kind, our_id, provider_id, body)
       select $1, 'sandbox', 'sandbox_invoice', body->>'id', 'sandbox_' || (body->>'id'), body from jsonb_array_elements($2::jsonb) as body
       order by body->>'id' on conflict do nothing returning our_id`,
      [JSON.stringify(invoices)],
    );
    return new Set(rows.map((row) => row.our_id));
  }

  async replace(before: SandboxInvoice, after: SandboxInvoice): Promise<boolean> {
    // Postgres gives an update's rows beside their count.
    const [rows]: [unknown[], number] = await this.query(
      `update provider_objects set body = $3::jsonb
        where organization_id = $1 and provider = 'sandbox' and kind = 'sandbox_invoice' and our_id = $2
          and body->>'status' = $4 and jsonb_array_length(body->'payments') = $5
        returning our_id`,
      [before.id, JSON.stringify(after), before.status, before.payments.length],
    );
    return rows.length === 1;
  }

  private query<T>(sql: string, values: readonly unknown[]): Promise<T> {
    return this.manager.query(sql, [this.organizationId, ...values]);
  }
}
