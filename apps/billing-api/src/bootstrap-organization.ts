import { scopes } from '#contracts';
import { credentialHash, makeApiKeySecret, type Database } from '#persistence';
import { assert, type Clock, type Ids } from '#platform';
import { issueApiKey } from './issue-api-key.js';
import { insertOrganization } from './new-organization.js';

const keyLengthMin = 24;
const bootstrapLock = 7_420_010;

export interface BootstrapOptions {
  readonly database: Database;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly serverSecret: string;
  /** `tw_test_…`, at least 24 characters; made where none is given and the organization has no key yet. */
  readonly apiKey?: string | undefined;
}

export interface BootstrappedOrganization {
  readonly organizationId: string;
  /** A key that was made now; it can't be read again. Null where one was given or was there before. */
  readonly generatedApiKey: string | null;
  readonly isNew: boolean;
}

/**
 * Makes the first organization, a test one, and its owner's key, which may also create organizations. Safe to run at every start and
 * from several processes: what is there stays, and another key that is given is added to it. A given key that was revoked stays so.
 */
export async function bootstrapOrganization(options: BootstrapOptions): Promise<BootstrappedOrganization> {
  const { database, apiKey } = options;
  assert(apiKey === undefined || (apiKey.startsWith('tw_test_') && apiKey.length >= keyLengthMin), 'The configuration checks the bootstrap key.');
  return database.acrossOrganizations(async (manager) => {
    await manager.query('select pg_advisory_xact_lock($1)', [bootstrapLock]);
    await manager.query(`select set_config('app.platform', 'on', true)`);
    const rows: { id: string }[] = await manager.query('select id from organizations where is_bootstrap');
    const organizationId = rows[0]?.id ?? options.ids.make('org');
    await manager.query(`select set_config('app.organization_id', $1, true)`, [organizationId]);
    const isNew = rows[0] === undefined;
    if (isNew) {
      await insertOrganization(manager, {
        id: organizationId, name: 'My organization', mode: 'test', isBootstrap: true, createdAt: options.clock.now(), metadata: {},
      });
    }
    const secret = apiKey ?? makeApiKeySecret('test');
    const known: unknown[] = await manager.query('select 1 from api_keys where secret_hash = $1 or $2', [
      credentialHash({ serverSecret: options.serverSecret, credential: secret }), apiKey === undefined && !isNew,
    ]);
    if (known.length > 0) return { organizationId, generatedApiKey: null, isNew };
    await issueApiKey(manager, { organizationId, name: 'Bootstrap', secret, scopes }, options);
    return { organizationId, generatedApiKey: apiKey === undefined ? secret : null, isNew };
  });
}
