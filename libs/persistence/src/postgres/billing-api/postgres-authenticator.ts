import { LRUCache } from 'lru-cache';
import type { EntityManager } from 'typeorm';
import type { Scope } from '#contracts';
import type { Authenticator, Clock, Principal } from '#platform';
import type { Database } from '../database.js';
import { apiKeyTable, type ApiKey } from './api-key-table.js';
import { rememberedCredentialHash } from './credential-hash.js';
import { findOrganization } from './organization-table.js';
import { fromRow, type Row } from './table-columns.js';

/** How long a revoked key may still pass in a process that did not revoke it. */
const cacheMs = 5_000;
const cachedKeysMax = 10_000;
/** The last use of a key is noted to the minute. */
const lastUseSeconds = 60;

interface Known {
  readonly principal: Principal;
  readonly expiresAt: Temporal.Instant | null;
}

/** Finds an API key by the HMAC of its secret. Each process asks once in five seconds for a key, also for one that is unknown. */
export class PostgresAuthenticator implements Authenticator {
  private readonly known: LRUCache<string, { found: Known | null }>;
  private readonly hashOf: (credential: string) => string;

  constructor(
    private readonly database: Database,
    private readonly options: { readonly serverSecret: string; readonly clock: Clock },
  ) {
    this.hashOf = rememberedCredentialHash(options.serverSecret);
    this.known = new LRUCache({
      max: cachedKeysMax,
      ttl: cacheMs,
      fetchMethod: async (hash) => ({ found: await this.load(hash) }),
    });
  }

  authenticate(credential: string): Principal | null | Promise<Principal | null> {
    const secretHash = this.hashOf(credential);
    const entry = this.known.get(secretHash);
    return entry === undefined ? this.known.fetch(secretHash).then((fetched) => this.valid(fetched?.found ?? null)) : this.valid(entry.found);
  }

  private valid(found: Known | null): Principal | null {
    if (found === null) return null;
    const isExpired = found.expiresAt !== null && Temporal.Instant.compare(found.expiresAt, this.options.clock.now()) <= 0;
    return isExpired ? null : found.principal;
  }

  /** Forgets a key at once where it was revoked. */
  forget(apiKey: Pick<ApiKey, 'secretHash'>): void {
    this.known.delete(apiKey.secretHash);
  }

  private async load(secretHash: string): Promise<Known | null> {
    return this.database.acrossOrganizations(async (manager) => {
      await manager.query(`select set_config('app.credential_hash', $1, true)`, [secretHash]);
      const rows: Row[] = await manager.query('select * from api_keys where secret_hash = $1 and revoked_at is null', [secretHash]);
      if (rows[0] === undefined) return null;
      const key = fromRow(apiKeyTable, rows[0]);
      await manager.query(`select set_config('app.organization_id', $1, true)`, [key.organizationId]);
      const organization = await findOrganization(manager, key.organizationId);
      if (organization === null) return null;
      await this.noteUse(manager, key);
      const principal = { organizationId: key.organizationId, mode: organization.mode, credentialId: key.id, scopes: new Set<Scope>(key.scopes) };
      return { principal, expiresAt: key.expiresAt };
    });
  }

  private async noteUse(manager: EntityManager, key: ApiKey): Promise<void> {
    const now = this.options.clock.now();
    const staleBefore = now.subtract({ seconds: lastUseSeconds });
    if (key.lastUsedAt !== null && Temporal.Instant.compare(key.lastUsedAt, staleBefore) > 0) return;
    await manager.query('update api_keys set last_used_at = $2 where secret_hash = $1 and (last_used_at is null or last_used_at <= $3)', [
      key.secretHash, now.toString(), staleBefore.toString(),
    ]);
  }
}
