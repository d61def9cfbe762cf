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

export interface ProviderCustomerKey {
  readonly organizationId: string;
  readonly provider: string;
  readonly customerId: string;
}

/** What is known of the customer at the provider; null where no push was ever begun. */
export async function readProviderCustomer(manager: EntityManager, key: ProviderCustomerKey): Promise<ProviderCustomer | null> {
  const rows: { provider_id: string | null; created_at: string }[] = await manager.query(
    `select provider_id, created_at from provider_objects where organization_id = $1 and provider = $2 and kind = 'customer' and our_id = $3`,
    [key.organizationId, key.provider, key.customerId],
  );
  const row = rows[0];
  return row === undefined ? null : { providerId: row.provider_id, firstPushAt: Temporal.Instant.from(row.created_at) };
}

export interface FirstPushes extends Omit<ProviderCustomerKey, 'customerId'> {
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

export async function noteProviderCustomer(manager: EntityManager, key: ProviderCustomerKey & { readonly providerId: string }): Promise<void> {
  await manager.query(
    `update provider_objects set provider_id = $4 where organization_id = $1 and provider = $2 and kind = 'customer' and our_id = $3`,
    [key.organizationId, key.provider, key.customerId, key.providerId],
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

  async insert(invoice: SandboxInvoice): Promise<boolean> {
    const rows: unknown[] = await this.query(
      `insert into provider_objects (organization_id, provider, kind, our_id, provider_id, body)
       values ($1, 'sandbox', 'sandbox_invoice', $2, 'sandbox_' || $2, $3::jsonb) on conflict do nothing returning our_id`,
      [invoice.id, JSON.stringify(invoice)],
    );
    return rows.length === 1;
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
