import { ownerScopes, type OrganizationCreate } from '#contracts';
import { makeApiKeySecret, type ApiKey, type Organization } from '#persistence';
import { issueApiKey } from './issue-api-key.js';
import { insertOrganization } from './new-organization.js';
import type { Surroundings } from './surroundings.js';

/** Makes an organization and its first key, which may do everything in it but create organizations. */
export class CreateOrganization {
  constructor(
    private readonly surroundings: Surroundings,
    private readonly serverSecret: string,
  ) {}

  async execute(input: OrganizationCreate): Promise<{ organization: Organization; apiKey: ApiKey; secret: string }> {
    const { database, ids, clock } = this.surroundings;
    const id = ids.make('org');
    const secret = makeApiKeySecret(input.mode);
    return database.inOrganization(id, async (manager) => {
      const organization = await insertOrganization(manager, {
        id, name: input.name, mode: input.mode, isBootstrap: false, createdAt: clock.now(), metadata: input.metadata ?? {},
      });
      const key = { organizationId: id, name: 'Owner', secret, scopes: ownerScopes };
      return { organization, apiKey: await issueApiKey(manager, key, { ids, clock, serverSecret: this.serverSecret }), secret };
    });
  }
}
