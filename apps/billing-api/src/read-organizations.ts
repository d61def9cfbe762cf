import { findOrganization, listRows, organizationTable, type Database, type Organization, type RowPage } from '#persistence';
import { accepted, assert, refused, type ListPage, type Outcome } from '#platform';

/** The registry of all organizations, for who runs the platform; and the caller's own. */
export class ReadOrganizations {
  constructor(private readonly database: Database) {}

  async own(organizationId: string): Promise<Organization> {
    const organization = await this.database.inOrganization(organizationId, (manager) => findOrganization(manager, organizationId));
    assert(organization !== null, 'The organization of a credential exists.');
    return organization;
  }

  async list(page: ListPage): Promise<RowPage<Organization>> {
    return this.database.acrossOrganizations(async (manager) => {
      await manager.query(`select set_config('app.platform', 'on', true)`);
      return listRows(manager, organizationTable, { page });
    });
  }

  async find(id: string): Promise<Outcome<Organization, 'not_found'>> {
    return this.database.acrossOrganizations(async (manager) => {
      await manager.query(`select set_config('app.platform', 'on', true)`);
      const organization = await findOrganization(manager, id);
      return organization === null ? refused('not_found', 'There is no such organization.') : accepted(organization);
    });
  }
}
