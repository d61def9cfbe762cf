import { EntitySchema } from 'typeorm';
import type { Scope } from '#contracts';
import { instantColumn, resourceColumns, textColumn } from './table-columns.js';

/** A credential. Only the HMAC of its secret is kept; `hint` shows its first and last characters. */
export interface ApiKey {
  readonly id: string;
  readonly organizationId: string;
  readonly name: string;
  readonly hint: string;
  readonly secretHash: string;
  readonly scopes: readonly Scope[];
  readonly expiresAt: Temporal.Instant | null;
  readonly lastUsedAt: Temporal.Instant | null;
  readonly revokedAt: Temporal.Instant | null;
  readonly createdAt: Temporal.Instant;
  readonly metadata: Readonly<Record<string, string>>;
}

export const apiKeyTable = new EntitySchema<ApiKey>({
  name: 'ApiKey',
  tableName: 'api_keys',
  columns: {
    ...resourceColumns,
    name: textColumn('name'),
    hint: textColumn('hint'),
    secretHash: textColumn('secret_hash'),
    scopes: textColumn('scopes', { array: true }),
    expiresAt: instantColumn('expires_at', { nullable: true }),
    lastUsedAt: instantColumn('last_used_at', { nullable: true }),
    revokedAt: instantColumn('revoked_at', { nullable: true }),
  },
  indices: [
    { name: 'api_keys_secret_hash', columns: ['secretHash'], unique: true },
    { name: 'api_keys_list', columns: ['organizationId', 'id'] },
  ],
  foreignKeys: [{ name: 'api_keys_organization', target: 'Organization', columnNames: ['organizationId'], referencedColumnNames: ['id'] }],
});
