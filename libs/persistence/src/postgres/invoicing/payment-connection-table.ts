import type { EntityManager } from 'typeorm';
import type { SecretBox } from './secret-box.js';

/** An organization's own connection to a payment provider, with its secrets in the open: it never leaves the process that pushes. */
export interface PaymentConnection {
  readonly provider: 'stripe' | 'sandbox';
  readonly apiKey: string | null;
  readonly webhookSecret: string | null;
  readonly apiBase: string | null;
  readonly createdAt: Temporal.Instant;
  readonly updatedAt: Temporal.Instant;
}

export type NewPaymentConnection = Omit<PaymentConnection, 'createdAt' | 'updatedAt'>;

interface ConnectionRow {
  provider: 'stripe' | 'sandbox';
  api_key_sealed: string | null;
  webhook_secret_sealed: string | null;
  api_base: string | null;
  created_at: string;
  updated_at: string;
}

const boundTo = (organizationId: string, column: 'api_key' | 'webhook_secret') => ['payment_providers', organizationId, column];

export async function readPaymentConnection(manager: EntityManager, wanted: { organizationId: string; box: SecretBox }): Promise<PaymentConnection | null> {
  const { organizationId, box } = wanted;
  const rows: ConnectionRow[] = await manager.query(`select * from payment_providers where organization_id = $1`, [organizationId]);
  const row = rows[0];
  if (row === undefined) return null;
  return {
    provider: row.provider,
    apiKey: row.api_key_sealed === null ? null : box.open(row.api_key_sealed, boundTo(organizationId, 'api_key')),
    webhookSecret: row.webhook_secret_sealed === null ? null : box.open(row.webhook_secret_sealed, boundTo(organizationId, 'webhook_secret')),
    apiBase: row.api_base,
    createdAt: Temporal.Instant.from(row.created_at),
    updatedAt: Temporal.Instant.from(row.updated_at),
  };
}

export async function savePaymentConnection(manager: EntityManager, saved: { organizationId: string; box: SecretBox; connection: NewPaymentConnection }): Promise<void> {
  const { organizationId, box, connection } = saved;
  await manager.query(
    `insert into payment_providers (organization_id, provider, api_key_sealed, webhook_secret_sealed, api_base) values ($1, $2, $3, $4, $5)
     on conflict (organization_id) do update set provider = excluded.provider, api_key_sealed = excluded.api_key_sealed,
       webhook_secret_sealed = excluded.webhook_secret_sealed, api_base = excluded.api_base, updated_at = now()`,
    [
      organizationId, connection.provider,
      connection.apiKey === null ? null : box.seal(connection.apiKey, boundTo(organizationId, 'api_key')),
      connection.webhookSecret === null ? null : box.seal(connection.webhookSecret, boundTo(organizationId, 'webhook_secret')),
      connection.apiBase,
    ],
  );
}
