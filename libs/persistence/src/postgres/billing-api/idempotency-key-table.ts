import { EntitySchema } from 'typeorm';
import { instantColumn, integerColumn, textColumn } from './table-columns.js';

interface IdempotencyKeyRow {
  readonly organizationId: string;
  readonly credentialId: string;
  readonly method: string;
  readonly path: string;
  readonly key: string;
  readonly fingerprint: string;
  readonly claim: string;
  readonly claimedUntil: Temporal.Instant;
  readonly expiresAt: Temporal.Instant;
  readonly status: number | null;
  readonly answer: Buffer | null;
}

export const idempotencyKeyTable = new EntitySchema<IdempotencyKeyRow>({
  name: 'IdempotencyKey',
  tableName: 'idempotency_keys',
  columns: {
    organizationId: textColumn('organization_id', { primary: true }),
    credentialId: textColumn('credential_id', { primary: true }),
    method: textColumn('method', { primary: true }),
    path: textColumn('path', { primary: true }),
    key: textColumn('key', { primary: true }),
    fingerprint: textColumn('fingerprint'),
    claim: textColumn('claim'),
    claimedUntil: instantColumn('claimed_until'),
    expiresAt: instantColumn('expires_at'),
    status: integerColumn('status', { nullable: true }),
    answer: { name: 'answer', type: 'bytea', nullable: true },
  },
  indices: [{ name: 'idempotency_keys_expiry', columns: ['expiresAt'] }],
});
