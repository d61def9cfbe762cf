import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { usePostgres } from '#testing';
import { appRoles, Database } from '../database.js';
import { migrateDatabase } from '../migrate.js';
import { readDueOutbox, withdrawOutbox, insertOutboxEntries, lockOutboxEntries } from './payment-outbox-table.js';
import { takeInvoiceNumbers } from './invoice-number-table.js';
import { readPaymentConnection, savePaymentConnection } from './payment-connection-table.js';
import { SecretBox } from './secret-box.js';

const { freshDatabase } = usePostgres();
const tables = [
  'due_acts', 'billing_schedules', 'clock_runs', 'invoices', 'invoice_lines', 'invoice_numbers', 'payment_outbox', 'payments', 'provider_objects', 'webhook_receipts', 'payment_providers',
];
const worklists = ['due_acts', 'billing_schedules', 'clock_runs', 'payment_outbox'];

let sql: pg.Client;
let database: Database;

beforeAll(async () => {
  const { url } = await freshDatabase({ template: { name: 'migrated', prepare: async (target) => void (await migrateDatabase(target)) } });
  sql = new pg.Client({ connectionString: url });
  await sql.connect();
  database = await Database.open({ url, role: 'invoicing', poolSizeMax: 4 });
  for (const id of ['org_a', 'org_b']) {
    await sql.query(`insert into organizations (id, name, mode, invoice_prefix, created_at) values ($1, $1, 'test', 'INV', now())`, [id]);
    await sql.query(
      `insert into invoices (id, organization_id, kind, customer_id, subscription_id, period_index, plan_id, plan_version, status, currency, collection, period_start, period_end, dated_at)
       values ('inv_' || $1, $1, 'period', 'c', 's_' || $1, 1, 'p', 1, 'draft', 'USD', 'automatic', now(), now() + interval '1 day', now())`, [id]);
    await sql.query(`insert into invoice_lines (id, organization_id, invoice_id, position, kind, ref, description, amount_minor, period_start, period_end) values ('il_' || $1, $1, 'inv_' || $1, 0, 'usage', 'r', '', 0, now(), now())`, [id]);
    await sql.query(`insert into invoice_numbers (organization_id, next_number) values ($1, 1)`, [id]);
    await sql.query(`insert into billing_schedules (organization_id, subscription_id, next_index, adopted_revision) values ($1, 's_' || $1, 1, 1)`, [id]);
    await sql.query(`insert into due_acts (organization_id, kind, subscription_id, period_index, due_at) values ($1, 'issue', 's_' || $1, 1, now())`, [id]);
    await sql.query(`insert into clock_runs (organization_id, target) values ($1, now())`, [id]);
    await sql.query(`insert into payment_outbox (organization_id, invoice_id, kind) values ($1, 'inv_' || $1, 'push')`, [id]);
    await sql.query(`insert into payments (id, organization_id, invoice_id, provider, status, amount_minor, currency, at) values ('pay_' || $1, $1, 'inv_' || $1, 'sandbox', 'failed', 1, 'USD', now())`, [id]);
    await sql.query(`insert into provider_objects (organization_id, provider, kind, our_id) values ($1, 'sandbox', 'customer', 'c')`, [id]);
    await sql.query(`insert into webhook_receipts (organization_id, provider, event_id, type) values ($1, 'stripe', 'evt_1', 'paid')`, [id]);
    await sql.query(`insert into payment_providers (organization_id, provider) values ($1, 'sandbox')`, [id]);
  }
});

afterAll(async () => {
  await database.close();
  await sql.end();
});

describe('the tables of invoicing', () => {
  it.each(tables)('show of %s one organization, and to whoever looks across them the worklists only', async (table) => {
    const sees = (manager: { query(text: string): Promise<unknown[]> }) => manager.query(`select distinct organization_id as id from ${table} order by 1`);
    const all = [{ id: 'org_a' }, { id: 'org_b' }];
    expect(await database.inOrganization('org_a', sees)).toEqual([{ id: 'org_a' }]);
    expect(await database.acrossOrganizations(sees)).toEqual(worklists.includes(table) ? all : []);
  });

  it('can be written by invoicing only, and what was received or taken is never deleted', async () => {
    const { rows } = await sql.query(
      `select r.role, t.name as table, p.privilege from unnest($1::text[]) r(role), unnest($2::text[]) t(name), unnest(array['insert', 'update', 'delete']) p(privilege)
        where has_table_privilege(r.role, t.name, p.privilege)`, [Object.values(appRoles), tables]);
    expect(rows.filter(({ role }) => role !== appRoles.invoicing)).toEqual([]);
    const deletable = new Set(rows.filter(({ privilege }) => privilege === 'delete').map(({ table }) => table));
    for (const table of ['payments', 'webhook_receipts', 'invoice_numbers']) expect(deletable.has(table)).toBe(false);
  });

  it('refuse a second invoice of a boundary, a number without an issue and totals that do not add up', async () => {
    const insert = (set: string) => sql.query(`insert into invoices select (jsonb_populate_record(i, '${set}'::jsonb)).* from invoices i where id = 'inv_org_a'`);
    await expect(insert('{"id": "inv_2", "sequence": 99}')).rejects.toThrow(/invoices_once|sequence/);
    await expect(sql.query(`update invoices set number = 'X' where id = 'inv_org_a'`)).rejects.toThrow('invoices_numbered');
    await expect(sql.query(`update invoices set total_minor = 5 where id = 'inv_org_a'`)).rejects.toThrow('invoices_totals');
  });
});

describe('invoice numbers', () => {
  it('have no gap where a transaction that took some fails', async () => {
    const take = (count: number, fails = false) => database.inOrganization('org_n', async (manager) => {
      const first = await takeInvoiceNumbers(manager, { organizationId: 'org_n', count });
      if (fails) throw new Error('The transaction fails.');
      return first;
    });
    expect(await take(3)).toBe(1n);
    await expect(take(5, true)).rejects.toThrow('fails');
    expect(await Promise.all([take(2), take(2), take(2)]).then((firsts) => firsts.sort())).toEqual([4n, 6n, 8n]);
  });
});

describe('the outbox', () => {
  it('is taken back only where nobody has begun to tell it', async () => {
    const systemNow = Temporal.Now.instant().add({ seconds: 1 });
    const wanted = { organizationId: 'org_a', invoiceId: 'inv_org_a', systemNow };
    const [entry] = await database.acrossOrganizations((manager) => readDueOutbox(manager, { systemNow, limit: 10, organizationId: 'org_a' }));
    if (entry === undefined) throw new Error('The entry is due.');
    await database.inOrganization('org_a', async (telling) => {
      expect(await lockOutboxEntries(telling, { organizationId: 'org_a', ids: [entry.id], systemNow })).toMatchObject([{ id: entry.id }]);
      expect(await database.inOrganization('org_a', (manager) => lockOutboxEntries(manager, { organizationId: 'org_a', ids: [entry.id], systemNow }))).toEqual([]);
      expect(await database.inOrganization('org_a', (manager) => withdrawOutbox(manager, wanted))).toBe(false);
    });
    expect(await database.inOrganization('org_a', (manager) => withdrawOutbox(manager, wanted))).toBe(true);
    const twice = { organizationId: 'org_a', systemNow, entries: [{ invoiceId: 'inv_org_a', kind: 'push' as const, paymentId: null }] };
    for (let time = 0; time < 2; time += 1) await database.inOrganization('org_a', (manager) => insertOutboxEntries(manager, twice));
    const { rows } = await sql.query(`select state from payment_outbox where organization_id = 'org_a' order by id`);
    expect(rows).toEqual([{ state: 'given_up' }, { state: 'pending' }]);
  });
});

describe('sealed secrets', () => {
  const box = new SecretBox('a secret of the server');

  it('open for what they were sealed for, under the same server secret', () => {
    const sealed = box.seal('sk_test_1', ['org_a', 'api_key']);
    expect(sealed).not.toContain('sk_test_1');
    expect(box.seal('sk_test_1', ['org_a', 'api_key'])).not.toBe(sealed);
    expect(box.open(sealed, ['org_a', 'api_key'])).toBe('sk_test_1');
    expect(() => box.open(sealed, ['org_b', 'api_key'])).toThrow();
    expect(() => new SecretBox('another secret of a server').open(sealed, ['org_a', 'api_key'])).toThrow();
    expect(() => box.open(`${sealed.startsWith('A') ? 'B' : 'A'}${sealed.slice(1)}`, ['org_a', 'api_key'])).toThrow();
  });

  it('come back from the database for their organization', async () => {
    const connection = { provider: 'stripe' as const, apiKey: 'sk_test_1', webhookSecret: 'whsec_1', apiBase: null };
    await database.inOrganization('org_a', (manager) => savePaymentConnection(manager, { organizationId: 'org_a', box, connection }));
    expect(await database.inOrganization('org_a', (manager) => readPaymentConnection(manager, { organizationId: 'org_a', box }))).toMatchObject(connection);
    await sql.query(`update payment_providers b set api_key_sealed = a.api_key_sealed from payment_providers a where b.organization_id = 'org_b' and a.organization_id = 'org_a'`);
    await expect(database.inOrganization('org_b', (manager) => readPaymentConnection(manager, { organizationId: 'org_b', box }))).rejects.toThrow();
  });
});
