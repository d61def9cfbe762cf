import type { EntityManager } from 'typeorm';
import type { CustomerReplace, CustomerUpdate } from '#contracts';
import { keyPattern } from '#domain';
import { customerTable, findOrganization, insertRow, isUniqueViolation, readAttachments, readCustomer, updateRow, type Attachment, type Customer } from '#persistence';
import { accepted, assert, refused, type InputFault, type Outcome } from '#platform';
import { attachSubject, detachSubjects, lockSubjects, noteReattached } from './attach-subject.js';
import { keyMismatch } from './catalog-items.js';
import type { AttachRefusal } from './decide-attachment.js';
import type { Surroundings } from './surroundings.js';

export type CustomerRefusal = AttachRefusal | 'not_found' | 'key_taken' | 'key_mismatch' | 'currency_fixed' | 'has_subscriptions' | 'customer_archived';

type Content = Omit<Customer, 'id' | 'organizationId' | 'key' | 'archivedAt' | 'createdAt'>;

/** When a write happens: business time for what it means, system time for when it was made. */
interface Moment {
  readonly now: Temporal.Instant;
  readonly createdAt: Temporal.Instant;
}

/** Creates, replaces, changes and archives the customers of the caller's organization, and attaches their subjects. */
export class Customers {
  constructor(private readonly surroundings: Surroundings) {}

  async create(organizationId: string, input: CustomerReplace): Promise<Outcome<Customer, CustomerRefusal>> {
    try {
      return await this.write(organizationId, async (manager, moment) => this.insert(manager, { organizationId, key: input.key ?? null, input, moment }));
    } catch (error) {
      if (isUniqueViolation(error, 'customers_key')) return refused('key_taken', `Another customer has the key "${input.key}", maybe an archived one.`);
      throw error;
    }
  }

  /** Creates the customer with this key, or makes it exactly what the body says, also where it was archived. */
  async replace(organizationId: string, at: { reference: string; input: CustomerReplace }): Promise<Outcome<{ customer: Customer; isNew: boolean }, CustomerRefusal>> {
    try {
      return await this.replaceOnce(organizationId, at);
    } catch (error) {
      if (isUniqueViolation(error, 'customers_key')) return this.replaceOnce(organizationId, at);
      throw error;
    }
  }

  async update(organizationId: string, at: { reference: string; change: CustomerUpdate }): Promise<Outcome<Customer, CustomerRefusal>> {
    return this.write(organizationId, async (manager) => {
      const customer = await readCustomer(manager, at.reference);
      if (customer === null) return missing();
      const set = changesOf(at.change);
      const allowed = await mayHaveCurrency(manager, customer, set.currency);
      if (!allowed.ok) return allowed;
      await updateRow(manager, customerTable, { id: customer.id, set });
      return accepted({ ...customer, ...set });
    });
  }

  /** Its subjects are free from now on. Archiving again changes nothing. */
  async archive(at: { organizationId: string; reference: string }): Promise<Outcome<Customer, CustomerRefusal>> {
    return this.write(at.organizationId, async (manager, { now, createdAt }) => {
      const customer = await readCustomer(manager, at.reference);
      if (customer === null) return missing();
      if (customer.archivedAt !== null) return accepted(customer);
      const lasting: { id: string }[] = await manager.query(
        `select id from subscriptions where customer_id = $1 and (cancel_at is null or cancel_at > $2) order by id limit 10`, [customer.id, now.toString()]);
      if (lasting.length > 0) {
        const detail = 'The customer has subscriptions that have not ended; cancel them first.';
        return { ...refused('has_subscriptions', detail), extensions: { subscriptions: lasting.map(({ id }) => id), allowed: ['cancel'] } };
      }
      await detachSubjects(manager, { customerId: customer.id, subjects: null, at: now });
      await updateRow(manager, customerTable, { id: customer.id, set: { archivedAt: createdAt } });
      return accepted({ ...customer, archivedAt: createdAt });
    });
  }

  async attach(organizationId: string, request: { reference: string; subject: string; effectiveAt: Temporal.Instant | null }): Promise<Outcome<Attachment, CustomerRefusal>> {
    return this.write(organizationId, async (manager, moment) => {
      const customer = await readCustomer(manager, request.reference);
      if (customer === null) return missing();
      if (customer.archivedAt !== null) return refused('customer_archived', 'An archived customer takes no subjects.');
      await lockSubjects(manager, organizationId, [request.subject]);
      const attached = await attachSubject(manager, { ...moment, organizationId, customerId: customer.id, subject: request.subject, effectiveAt: request.effectiveAt });
      if (attached.ok) await noteReattached(manager, [request.subject]);
      return attached;
    });
  }

  /** Business time is read first: nobody waits for a second connection while he holds one. A refusal keeps nothing. */
  private async write<T>(organizationId: string, work: (manager: EntityManager, moment: Moment) => Promise<Outcome<T, CustomerRefusal>>): Promise<Outcome<T, CustomerRefusal>> {
    const moment = { now: await this.surroundings.businessClock.now(organizationId), createdAt: this.surroundings.clock.now() };
    const refusal: { outcome: Outcome<T, CustomerRefusal> | null } = { outcome: null };
    try {
      return await this.surroundings.database.inOrganization(organizationId, async (manager) => {
        const outcome = await work(manager, moment);
        if (outcome.ok) return outcome;
        refusal.outcome = outcome;
        throw new RolledBack();
      });
    } catch (error) {
      if (error instanceof RolledBack && refusal.outcome !== null) return refusal.outcome;
      throw error;
    }
  }

  private async replaceOnce(organizationId: string, at: { reference: string; input: CustomerReplace }): Promise<Outcome<{ customer: Customer; isNew: boolean }, CustomerRefusal>> {
    return this.write(organizationId, async (manager, moment) => {
      const { reference, input } = at;
      const existing = await readCustomer(manager, reference);
      if (existing === null && !keyPattern.test(reference)) return missing();
      const key = existing === null ? reference : existing.key;
      if (input.key !== undefined && key !== null && input.key !== key) return keyMismatch(key);
      if (existing === null) {
        const inserted = await this.insert(manager, { organizationId, key, input, moment });
        return inserted.ok ? accepted<{ customer: Customer; isNew: boolean }>({ customer: inserted.value, isNew: true }) : inserted;
      }
      const set = { ...(await contentOf(manager, { organizationId, input })), key: key ?? input.key ?? null, archivedAt: null };
      const allowed = await mayHaveCurrency(manager, existing, set.currency);
      if (!allowed.ok) return allowed;
      await updateRow(manager, customerTable, { id: existing.id, set });
      const customer = { ...existing, ...set };
      const placed = input.subjects === undefined ? accepted(null) : await setSubjects(manager, { customer, subjects: input.subjects, moment });
      return placed.ok ? accepted({ customer, isNew: false }) : placed;
    });
  }

  private async insert(manager: EntityManager, given: { organizationId: string; key: string | null; input: CustomerReplace; moment: Moment }): Promise<Outcome<Customer, CustomerRefusal>> {
    const { organizationId, key, input, moment } = given;
    const customer: Customer = {
      ...(await contentOf(manager, { organizationId, input })),
      id: this.surroundings.ids.make('cus'),
      organizationId,
      key,
      archivedAt: null,
      createdAt: moment.createdAt,
    };
    await insertRow(manager, customerTable, customer);
    const placed = await setSubjects(manager, { customer, subjects: input.subjects ?? [], moment });
    return placed.ok ? accepted(customer) : placed;
  }
}

/** Undoes a transaction whose work was refused. */
class RolledBack extends Error {}

/** Makes these all the subjects that the customer has from now on. Every one that is taken is named. */
async function setSubjects(manager: EntityManager, given: { customer: Customer; subjects: readonly string[]; moment: Moment }): Promise<Outcome<null, AttachRefusal>> {
  const { customer, moment } = given;
  const wanted = [...new Set(given.subjects)];
  const had = (await readAttachments(manager, { customerIds: [customer.id] })).filter(({ toAt }) => toAt === null).map(({ subject }) => subject);
  await lockSubjects(manager, customer.organizationId, [...new Set([...wanted, ...had])]);
  const dropped = had.filter((subject) => !wanted.includes(subject));
  await detachSubjects(manager, { customerId: customer.id, subjects: dropped, at: moment.now });
  const errors: InputFault[] = [];
  const holders: unknown[] = [];
  for (const subject of wanted) {
    const attached = await attachSubject(manager, { ...moment, organizationId: customer.organizationId, customerId: customer.id, subject, effectiveAt: null });
    if (attached.ok) continue;
    errors.push({ pointer: `/subjects/${given.subjects.indexOf(subject)}`, code: attached.code, detail: attached.detail });
    holders.push({ subject, ...(attached.extensions?.['holder'] as object) });
  }
  if (errors.length === 0) {
    await noteReattached(manager, [...wanted.filter((subject) => !had.includes(subject)), ...dropped]);
    return accepted(null);
  }
  const detail = 'Another customer has these subjects. Move each with POST /v1/customers/{id}/subjects and effective_at.';
  return { ...refused('subject_taken', detail, errors), extensions: { holders } };
}

async function contentOf(manager: EntityManager, given: { organizationId: string; input: CustomerReplace }): Promise<Content> {
  const { input } = given;
  return {
    name: input.name,
    email: input.email ?? null,
    currency: input.currency ?? null,
    timeZone: input.time_zone ?? (await organizationZone(manager, given.organizationId)),
    address: input.address ?? null,
    taxId: input.tax_id ?? null,
    purchaseOrder: input.purchase_order ?? null,
    metadata: input.metadata ?? {},
  };
}

async function organizationZone(manager: EntityManager, organizationId: string): Promise<string> {
  const organization = await findOrganization(manager, organizationId);
  assert(organization !== null, 'The organization of a credential exists.');
  return organization.timeZone;
}

function changesOf(change: CustomerUpdate): Partial<Content> {
  const { time_zone: timeZone, tax_id: taxId, purchase_order: purchaseOrder, ...rest } = change;
  const named = { ...rest, timeZone, taxId, purchaseOrder };
  return Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined)) as Partial<Content>;
}

/** What was agreed in one currency is not billed in another. */
async function mayHaveCurrency(manager: EntityManager, customer: Customer, currency: string | null | undefined): Promise<Outcome<null, 'currency_fixed'>> {
  if (currency === undefined || currency === null || currency === customer.currency) return accepted(null);
  const others: unknown[] = await manager.query(`select 1 from subscriptions where customer_id = $1 and currency <> $2 limit 1`, [customer.id, currency]);
  return others.length === 0 ? accepted(null) : refused('currency_fixed', 'The customer has subscriptions in another currency.');
}

function missing(): Outcome<never, 'not_found'> {
  return refused('not_found', 'There is no such customer.');
}
