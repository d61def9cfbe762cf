import { addOnTable, findByIdOrKey, listRows, readAddOnVersionPage, readAddOnVersions, readProductKeys, type AddOnVersionOfAddOn, type Database, type RowPage } from '#persistence';
import { accepted, type ListPage, type Outcome } from '#platform';
import { missingAddOn, type AddOnView } from './add-ons.js';

export class ReadAddOns {
  constructor(private readonly database: Database) {}

  /** An add-on in its latest version, or in the one that is named. */
  async find(organizationId: string, wanted: { reference: string; version: number | null }): Promise<Outcome<AddOnView, 'not_found'>> {
    return this.database.inOrganization(organizationId, async (manager) => {
      const addOn = await findByIdOrKey(manager, addOnTable, wanted.reference);
      const [version] = addOn === null ? [] : await readAddOnVersions(manager, [{ addOnId: addOn.id, version: wanted.version ?? addOn.latestVersion }]);
      return addOn === null || version === undefined ? missingAddOn() : accepted({ addOn, version });
    });
  }

  async list(organizationId: string, options: { page: ListPage; includeArchived: boolean }): Promise<RowPage<AddOnView>> {
    const conditions = options.includeArchived ? [] : [{ sql: () => 'archived_at is null', values: [] }];
    return this.database.inOrganization(organizationId, async (manager) => {
      const page = await listRows(manager, addOnTable, { page: options.page, conditions });
      const versions = await readAddOnVersions(manager, page.items.map(({ id, latestVersion }) => ({ addOnId: id, version: latestVersion })));
      const items = page.items.flatMap((addOn) => versions.filter(({ addOnId }) => addOnId === addOn.id).map((version) => ({ addOn, version })));
      return { items, hasMore: page.hasMore };
    });
  }

  /** Newest first, page by page, after a version's number. */
  async versions(organizationId: string, wanted: { reference: string; page: Omit<ListPage, 'endingBefore'> }): Promise<Outcome<RowPage<AddOnVersionOfAddOn>, 'not_found'>> {
    const { limit, startingAfter } = wanted.page;
    return this.database.inOrganization(organizationId, async (manager) => {
      const addOn = await findByIdOrKey(manager, addOnTable, wanted.reference);
      if (addOn === null) return missingAddOn();
      const before = startingAfter === null ? null : versionNumber(startingAfter);
      const found = await readAddOnVersionPage(manager, { addOnId: addOn.id, before, limit: limit + 1 });
      return accepted({ items: found.slice(0, limit), hasMore: found.length > limit });
    });
  }

  async productKeys(organizationId: string, addOns: readonly { readonly productId: string | null }[]): Promise<ReadonlyMap<string, string>> {
    return this.database.inOrganization(organizationId, (manager) => readProductKeys(manager, addOns));
  }
}

/** Behind what is no version there is nothing. */
function versionNumber(text: string): number {
  return /^[1-9]\d{0,8}$/.test(text) ? Number(text) : 0;
}
