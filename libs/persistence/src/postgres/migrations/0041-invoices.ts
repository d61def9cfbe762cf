import type { MigrationInterface, QueryRunner } from 'typeorm';
import { protectTable } from '../protect-table.js';

const invoices = `
  create table invoices (
    id text primary key,
    -- The order in which invoices were made; lists go by it.
    sequence bigint generated always as identity,
    organization_id text not null,
    kind text not null check (kind in ('period')),
    number text,
    customer_id text not null,
    subscription_id text not null,
    -- The boundary that made it, and the period of usage that it closes (null where it closes none).
    period_index integer not null,
    closes_index integer,
    plan_id text not null,
    plan_version integer not null,
    status text not null check (status in ('draft', 'open', 'paid', 'void', 'uncollectible')),
    waiting_for_usage boolean not null default false,
    currency text not null,
    collection text not null check (collection in ('automatic', 'send_invoice')),
    days_until_due integer,
    period_start timestamptz not null,
    period_end timestamptz not null,
    subtotal_minor bigint not null default 0,
    discount_minor bigint not null default 0,
    tax_minor bigint not null default 0,
    credits_applied_minor bigint not null default 0,
    total_minor bigint not null default 0,
    amount_due_minor bigint not null default 0,
    amount_paid_minor bigint not null default 0,
    -- What its last line moved on to a later invoice, and the one that bears it.
    carried_out_minor bigint not null default 0,
    carried_to text,
    -- Which usage it was rated from.
    usage_complete_as_of timestamptz,
    -- Business time. dated_at is the boundary's instant while it is a draft, issued_at after that.
    dated_at timestamptz not null,
    issued_at timestamptz,
    due_at timestamptz,
    paid_at timestamptz,
    voided_at timestamptz,
    marked_uncollectible_at timestamptz,
    provider text,
    provider_invoice_id text,
    provider_status text,
    payment_status text,
    payment_failure jsonb,
    -- System time.
    pushed_at timestamptz,
    created_at timestamptz not null default now(),
    metadata jsonb not null default '{}',
    constraint invoices_once unique (subscription_id, period_index, kind),
    constraint invoices_number unique (organization_id, number),
    constraint invoices_numbered check ((number is null) = (issued_at is null) and (number is null) = (status = 'draft')),
    constraint invoices_totals check (
      total_minor = subtotal_minor - discount_minor + tax_minor and amount_due_minor = total_minor - credits_applied_minor and amount_due_minor >= 0
    )
  )`;

const invoiceLines = `
  create table invoice_lines (
    id text primary key,
    organization_id text not null,
    invoice_id text not null references invoices (id),
    position integer not null,
    kind text not null,
    -- What the line is made from, stable over re-rating.
    ref text not null,
    price_id text,
    price_key text,
    description text not null,
    quantity numeric,
    unrounded_amount numeric,
    amount_minor bigint not null,
    period_start timestamptz not null,
    period_end timestamptz not null,
    group_values jsonb not null default '{}',
    trace jsonb not null default '[]',
    constraint invoice_lines_once unique (invoice_id, ref)
  )`;

const invoiceNumbers = `
  create table invoice_numbers (
    organization_id text primary key,
    -- The number that the next issued invoice takes. Taken under the row's lock, in the transaction that issues.
    next_number bigint not null
  )`;

/** Invoices, their lines and their numbers. */
export class Invoices1700000000041 implements MigrationInterface {
  name = 'Invoices1700000000041';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(invoices);
    await runner.query(`create index invoices_of_organization on invoices (organization_id, sequence desc)`);
    await runner.query(`create index invoices_of_customer on invoices (organization_id, customer_id, sequence desc)`);
    await runner.query(`create index invoices_of_provider on invoices (organization_id, provider_invoice_id) where provider_invoice_id is not null`);
    await runner.query(`create index invoices_carried on invoices (customer_id, currency) where carried_out_minor <> 0 and carried_to is null`);
    await runner.query(invoiceLines);
    await runner.query(`create index invoice_lines_of_invoice on invoice_lines (invoice_id, position)`);
    await runner.query(invoiceNumbers);
    await protectTable(runner, { table: 'invoices', owner: 'invoicing', readers: ['billingApi', 'rating'] });
    await protectTable(runner, { table: 'invoice_lines', owner: 'invoicing', readers: ['billingApi', 'rating'] });
    await protectTable(runner, { table: 'invoice_numbers', owner: 'invoicing', ownerMay: ['select', 'insert', 'update'] });
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table if exists invoice_numbers, invoice_lines, invoices');
  }
}
