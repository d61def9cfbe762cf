import { ownerScopes, type ApiKeyCreate, type ApiKeyUpdate } from '#contracts';
import { apiKeyTable, fromRow, listRows, makeApiKeySecret, updateRow, type ApiKey, type PostgresAuthenticator, type RowPage } from '#persistence';
import { accepted, refused, type ListPage, type Outcome, type Principal } from '#platform';
import type { EntityManager } from 'typeorm';
import { issueApiKey } from './issue-api-key.js';
import type { Surroundings } from './surroundings.js';

export type ApiKeyRefusal = 'not_found' | 'scope_exceeded' | 'invalid_request' | 'key_in_use';

/** The API keys of the caller's organization. */
export class ManageApiKeys {
  constructor(
    private readonly surroundings: Surroundings,
    private readonly options: { readonly serverSecret: string; readonly authenticator: Pick<PostgresAuthenticator, 'forget'> },
  ) {}

  /** Nobody hands out more than he has. */
  async create(principal: Principal, input: ApiKeyCreate): Promise<Outcome<{ apiKey: ApiKey; secret: string }, ApiKeyRefusal>> {
    const { database, clock } = this.surroundings;
    const scopes = [...new Set(input.scopes ?? ownerScopes.filter((scope) => principal.scopes.has(scope)))];
    const missing = scopes.filter((scope) => !principal.scopes.has(scope));
    if (missing.length > 0) return refused('scope_exceeded', `This credential can not grant what it lacks: ${missing.join(', ')}.`);
    const expiresAt = input.expires_at === undefined || input.expires_at === null ? null : Temporal.Instant.from(input.expires_at);
    if (expiresAt !== null && Temporal.Instant.compare(expiresAt, clock.now()) <= 0) {
      return refused('invalid_request', 'A new key can not have expired.', [{ pointer: '/expires_at', code: 'in_the_past', detail: 'This must lie in the future.' }]);
    }
    const secret = makeApiKeySecret(principal.mode);
    const { organizationId } = principal;
    const apiKey = await database.inOrganization(organizationId, (manager) =>
      issueApiKey(manager, { organizationId, name: input.name, secret, scopes, expiresAt, metadata: input.metadata ?? {} }, { ...this.surroundings, serverSecret: this.options.serverSecret }));
    return accepted({ apiKey, secret });
  }

  async list(organizationId: string, page: ListPage): Promise<RowPage<ApiKey>> {
    return this.surroundings.database.inOrganization(organizationId, (manager) => listRows(manager, apiKeyTable, { page }));
  }

  async find(at: { organizationId: string; id: string }): Promise<Outcome<ApiKey, ApiKeyRefusal>> {
    const apiKey = await this.surroundings.database.inOrganization(at.organizationId, (manager) => findApiKey(manager, at.id));
    return apiKey === null ? missing() : accepted(apiKey);
  }

  async update(organizationId: string, at: { id: string; change: ApiKeyUpdate }): Promise<Outcome<ApiKey, ApiKeyRefusal>> {
    return this.surroundings.database.inOrganization(organizationId, async (manager) => {
      const apiKey = await findApiKey(manager, at.id);
      if (apiKey === null) return missing();
      const set = {
        ...(at.change.name === undefined ? {} : { name: at.change.name }),
        ...(at.change.metadata === undefined ? {} : { metadata: at.change.metadata }),
      };
      await updateRow(manager, apiKeyTable, { id: apiKey.id, set });
      return accepted({ ...apiKey, ...set });
    });
  }

  /** Ends a key for ever; ending it again changes nothing. A key can't end itself, so that nobody locks himself out. */
  async revoke(principal: Principal, id: string): Promise<Outcome<ApiKey, ApiKeyRefusal>> {
    const outcome = await this.surroundings.database.inOrganization(principal.organizationId, async (manager): Promise<Outcome<ApiKey, ApiKeyRefusal>> => {
      const apiKey = await findApiKey(manager, id);
      if (apiKey === null) return missing();
      if (apiKey.revokedAt !== null) return accepted(apiKey);
      if (apiKey.id === principal.credentialId) return refused('key_in_use', 'A key can not revoke itself; use another one.');
      const revokedAt = this.surroundings.clock.now();
      await updateRow(manager, apiKeyTable, { id, set: { revokedAt } });
      return accepted({ ...apiKey, revokedAt });
    });
    if (outcome.ok) this.options.authenticator.forget(outcome.value);
    return outcome;
  }
}

async function findApiKey(manager: EntityManager, id: string): Promise<ApiKey | null> {
  const rows = await manager.query<Record<string, unknown>[]>(`select * from api_keys where organization_id = current_setting('app.organization_id', true) and id = $1`, [id]);
  return rows[0] === undefined ? null : fromRow(apiKeyTable, rows[0]);
}

function missing(): Outcome<never, 'not_found'> {
  return refused('not_found', 'There is no such API key.');
}
