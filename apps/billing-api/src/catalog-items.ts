import type { EntityManager, EntitySchema } from 'typeorm';
import { keyPattern } from '#domain';
import { findByIdOrKey, insertRow, isUniqueViolation, listRows, updateRow, type RowPage } from '#persistence';
import { accepted, refused, type Clock, type IdPrefix, type ListPage, type Outcome } from '#platform';
import type { Surroundings } from './surroundings.js';

/** What products, features and meters have in common. */
export interface CatalogItem {
  readonly id: string;
  readonly organizationId: string;
  readonly key: string;
  readonly name: string;
  readonly archivedAt: Temporal.Instant | null;
  readonly createdAt: Temporal.Instant;
  readonly metadata: Readonly<Record<string, string>>;
}

export type CatalogRefusal = 'not_found' | 'key_taken' | 'key_mismatch' | 'invalid_request' | RevisionRefusal;
export type RevisionRefusal = 'invalid_request' | 'in_use' | 'definition_fixed' | 'dimension_in_use' | 'billed_period' | 'too_many_versions';

/** What a user may say about an item. Which version it has follows from what is said. */
export type ContentOf<Item extends CatalogItem> = Omit<Item, 'id' | 'organizationId' | 'key' | 'archivedAt' | 'createdAt' | 'latestVersion' | 'effectiveAt'>;

/** A change of an item that is there already. */
export interface ItemChange<Item extends CatalogItem, Input> {
  readonly existing: Item;
  readonly content: Partial<ContentOf<Item>>;
  readonly input: ChangeOf<Input>;
  /** Business time. */
  readonly now: Temporal.Instant;
  readonly clock: Clock;
}

/** The body of PATCH: any fields of the whole body. */
export type ChangeOf<Input> = { readonly [Name in keyof Input]?: Input[Name] | undefined };

/** What tells one kind of item from another. `Input` is the body of PUT, whose fields PATCH may leave out. */
export interface CatalogKind<Item extends CatalogItem, Input extends { key?: string | undefined }> {
  readonly table: EntitySchema<Item>;
  readonly prefix: IdPrefix;
  /** For sentences: "product". */
  readonly noun: string;
  /** The columns of a whole body. */
  readonly resolve: (manager: EntityManager, input: Input) => Promise<Outcome<ContentOf<Item>, 'invalid_request'>>;
  /** The columns of a partial body: only those that it names. */
  readonly resolveChange: (manager: EntityManager, change: ChangeOf<Input>) => Promise<Outcome<Partial<ContentOf<Item>>, 'invalid_request'>>;
  /** The columns of a new item that its user says nothing about; refuses what is said only of a change. */
  readonly begin?: (input: ChangeOf<Input>) => Outcome<Partial<Item>, 'invalid_request'>;
  /** Keeps what a change makes beside the item, and says which columns follow from it; refuses what can't be changed. */
  readonly revise?: (manager: EntityManager, change: ItemChange<Item, Input>) => Promise<Outcome<Partial<Item>, RevisionRefusal>>;
  readonly mayArchive?: (manager: EntityManager, existing: Item) => Promise<Outcome<null, 'in_use'>>;
}

/** Creates, replaces, changes, archives and reads the items of one kind, in the caller's organization. */
export class CatalogItems<Item extends CatalogItem, Input extends { key?: string | undefined }> {
  constructor(
    private readonly kind: CatalogKind<Item, Input>,
    private readonly surroundings: Surroundings,
  ) {}

  async create(organizationId: string, input: Input & { key: string }): Promise<Outcome<Item, CatalogRefusal>> {
    try {
      return await this.surroundings.database.inOrganization(organizationId, async (manager) => {
        const content = await this.kind.resolve(manager, input);
        return content.ok ? this.insert(manager, { organizationId, key: input.key, content: content.value, input }) : content;
      });
    } catch (error) {
      if (isUniqueViolation(error, `${this.kind.table.options.tableName}_key`)) return this.keyTaken(input.key);
      throw error;
    }
  }

  /** Creates the item with this key, or makes it exactly what the body says, also where it was archived. */
  async replace(organizationId: string, at: { reference: string; input: Input }): Promise<Outcome<{ item: Item; isNew: boolean }, CatalogRefusal>> {
    try {
      return await this.replaceOnce(organizationId, at);
    } catch (error) {
      // Another request made it meanwhile, so now there is one to replace.
      if (isUniqueViolation(error, `${this.kind.table.options.tableName}_key`)) return this.replaceOnce(organizationId, at);
      throw error;
    }
  }

  async update(organizationId: string, at: { reference: string; change: ChangeOf<Input> }): Promise<Outcome<Item, CatalogRefusal>> {
    const now = await this.surroundings.businessClock.now(organizationId);
    return this.surroundings.database.inOrganization(organizationId, async (manager) => {
      const existing = await findByIdOrKey(manager, this.kind.table, at.reference);
      if (existing === null) return this.missing();
      const content = await this.kind.resolveChange(manager, at.change);
      if (!content.ok) return content;
      const revised = await this.revise(manager, { existing, content: content.value, input: at.change, now });
      return revised.ok ? accepted(await this.save(manager, existing, { ...(content.value as Partial<Item>), ...revised.value })) : revised;
    });
  }

  /** Archiving again changes nothing. */
  async archive(at: { organizationId: string; reference: string }): Promise<Outcome<Item, CatalogRefusal>> {
    return this.surroundings.database.inOrganization(at.organizationId, async (manager) => {
      const existing = await findByIdOrKey(manager, this.kind.table, at.reference);
      if (existing === null) return this.missing();
      if (existing.archivedAt !== null) return accepted(existing);
      const allowed = (await this.kind.mayArchive?.(manager, existing)) ?? accepted(null);
      if (!allowed.ok) return allowed;
      return accepted(await this.save(manager, existing, { archivedAt: this.surroundings.clock.now() } as Partial<Item>));
    });
  }

  async find(at: { organizationId: string; reference: string }): Promise<Outcome<Item, CatalogRefusal>> {
    const found = await this.surroundings.database.inOrganization(at.organizationId, (manager) => findByIdOrKey(manager, this.kind.table, at.reference));
    return found === null ? this.missing() : accepted(found);
  }

  async list(organizationId: string, options: { page: ListPage; includeArchived: boolean }): Promise<RowPage<Item>> {
    const conditions = options.includeArchived ? [] : [{ sql: () => 'archived_at is null', values: [] }];
    return this.surroundings.database.inOrganization(organizationId, (manager) => listRows(manager, this.kind.table, { page: options.page, conditions }));
  }

  private async replaceOnce(organizationId: string, at: { reference: string; input: Input }): Promise<Outcome<{ item: Item; isNew: boolean }, CatalogRefusal>> {
    const now = await this.surroundings.businessClock.now(organizationId);
    return this.surroundings.database.inOrganization(organizationId, async (manager): Promise<Outcome<{ item: Item; isNew: boolean }, CatalogRefusal>> => {
      const existing = await findByIdOrKey(manager, this.kind.table, at.reference);
      if (existing === null && !keyPattern.test(at.reference)) return this.missing();
      const key = existing?.key ?? at.reference;
      if (at.input.key !== undefined && at.input.key !== key) return keyMismatch(key);
      const content = await this.kind.resolve(manager, at.input);
      if (!content.ok) return content;
      if (existing === null) {
        const inserted = await this.insert(manager, { organizationId, key, content: content.value, input: at.input });
        return inserted.ok ? accepted({ item: inserted.value, isNew: true }) : inserted;
      }
      const revised = await this.revise(manager, { existing, content: content.value, input: at.input, now });
      if (!revised.ok) return revised;
      return accepted({ item: await this.save(manager, existing, { ...content.value, archivedAt: null, ...revised.value } as unknown as Partial<Item>), isNew: false });
    });
  }

  private async revise(manager: EntityManager, change: Omit<ItemChange<Item, Input>, 'clock'>): Promise<Outcome<Partial<Item>, RevisionRefusal>> {
    return this.kind.revise === undefined ? accepted({}) : this.kind.revise(manager, { ...change, clock: this.surroundings.clock });
  }

  private async insert(manager: EntityManager, values: { organizationId: string; key: string; content: ContentOf<Item>; input: ChangeOf<Input> }): Promise<Outcome<Item, 'invalid_request'>> {
    const begun: Outcome<Partial<Item>, 'invalid_request'> = this.kind.begin === undefined ? accepted({}) : this.kind.begin(values.input);
    if (!begun.ok) return begun;
    const item = {
      ...values.content,
      ...begun.value,
      id: this.surroundings.ids.make(this.kind.prefix),
      organizationId: values.organizationId,
      key: values.key,
      archivedAt: null,
      createdAt: this.surroundings.clock.now(),
    } as unknown as Item;
    await insertRow(manager, this.kind.table, item);
    return accepted(item);
  }

  private async save(manager: EntityManager, existing: Item, set: Partial<Item>): Promise<Item> {
    await updateRow(manager, this.kind.table, { id: existing.id, set });
    return { ...existing, ...set };
  }

  private missing(): Outcome<never, 'not_found'> {
    return refused('not_found', `There is no such ${this.kind.noun}.`);
  }

  private keyTaken(key: string): Outcome<never, 'key_taken'> {
    return refused('key_taken', `Another ${this.kind.noun} has the key "${key}", maybe an archived one.`);
  }
}

export function keyMismatch(key: string): Outcome<never, 'key_mismatch'> {
  return refused('key_mismatch', 'A key never changes.', [{ pointer: '/key', code: 'key_mismatch', detail: `This must be "${key}", or be left out.` }]);
}
