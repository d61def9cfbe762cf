import type { EntityManager } from 'typeorm';
import type { Scope } from '#contracts';
import { apiKeyTable, credentialHash, hintOf, insertRow, type ApiKey } from '#persistence';
import type { Clock, Ids } from '#platform';

export interface NewApiKey {
  readonly organizationId: string;
  readonly name: string;
  readonly secret: string;
  readonly scopes: readonly Scope[];
  readonly expiresAt?: Temporal.Instant | null;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** Keeps a new key by its hash. Whoever calls hands the secret out, for it can't be read again. */
export async function issueApiKey(manager: EntityManager, key: NewApiKey, tools: { ids: Ids; clock: Clock; serverSecret: string }): Promise<ApiKey> {
  const row: ApiKey = {
    id: tools.ids.make('key'),
    organizationId: key.organizationId,
    name: key.name,
    hint: hintOf(key.secret),
    secretHash: credentialHash({ serverSecret: tools.serverSecret, credential: key.secret }),
    scopes: key.scopes,
    expiresAt: key.expiresAt ?? null,
    lastUsedAt: null,
    revokedAt: null,
    createdAt: tools.clock.now(),
    metadata: key.metadata ?? {},
  };
  await insertRow(manager, apiKeyTable, row);
  return row;
}
