import type { MigrationInterface, QueryRunner } from 'typeorm';
import { protectTable } from '../protect-table.js';

const statements = [
  `
  create table payment_outbox (
    id bigint generated always as identity primary key,
    organization_id text not null,
    invoice_id text not null references invoices (id),
    kind text not null check (kind in ('push', 'pay')),
    -- Our id of one wish to take a payment.
    payment_id text,
    state text not null default 'pending' check (state in ('pending', 'unknown', 'done', 'refused', 'given_up')),
    attempts integer not null default 0,
    next_try_at timestamptz not null default now(),
    unknown_since timestamptz,
    detail jsonb,
    created_at timestamptz not null default now(),
    done_at timestamptz
  )`,
  `create unique index payment_outbox_open_once on payment_outbox (invoice_id, kind) where state in ('pending', 'unknown')`,
  `create index payment_outbox_open on payment_outbox (next_try_at) where state in ('pending', 'unknown')`,
  `create index payment_outbox_of_organization on payment_outbox (organization_id) where state in ('pending', 'unknown')`,
  `
  create table payments (
    id text primary key,
    organization_id text not null,
    invoice_id text not null references invoices (id),
    provider text not null,
    status text not null check (status in ('pending', 'succeeded', 'failed')),
    amount_minor bigint not null,
    currency text not null,
    failure_code text,
    failure_detail text,
    -- Business time.
    at timestamptz not null,
    created_at timestamptz not null default now()
  )`,
  `create unique index payments_taken_once on payments (invoice_id) where status = 'succeeded'`,
  `create index payments_of_invoice on payments (invoice_id)`,
  `
  create table provider_objects (
    organization_id text not null,
    provider text not null,
    -- customer: whom the provider knows as provider_id. sandbox_invoice: what the sandbox remembers, in body.
    kind text not null check (kind in ('customer', 'sandbox_invoice')),
    our_id text not null,
    provider_id text,
    body jsonb,
    -- System time: written before the first push begins, so that a lost answer can be searched for.
    created_at timestamptz not null default now(),
    primary key (organization_id, provider, kind, our_id)
  )`,
  `
  create table webhook_receipts (
    organization_id text not null,
    provider text not null,
    event_id text not null,
    type text not null,
    received_at timestamptz not null default now(),
    primary key (organization_id, provider, event_id)
  )`,
  `
  create table payment_providers (
    organization_id text primary key,
    provider text not null check (provider in ('stripe', 'sandbox')),
    -- AES-256-GCM under the server's secret; null where the provider needs none.
    api_key_sealed text,
    webhook_secret_sealed text,
    api_base text,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
  )`,
];

/** What the payment provider is to be told, was told, and told us. */
export class Payments1700000000042 implements MigrationInterface {
  name = 'Payments1700000000042';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of statements) await runner.query(statement);
    await protectTable(runner, { table: 'payment_outbox', owner: 'invoicing', readers: ['billingApi'], worklistOf: ['invoicing'] });
    await protectTable(runner, { table: 'payments', owner: 'invoicing', readers: ['billingApi'], ownerMay: ['select', 'insert', 'update'] });
    await protectTable(runner, { table: 'provider_objects', owner: 'invoicing' });
    await protectTable(runner, { table: 'webhook_receipts', owner: 'invoicing', ownerMay: ['select', 'insert'] });
    await protectTable(runner, { table: 'payment_providers', owner: 'invoicing' });
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table if exists payment_providers, webhook_receipts, provider_objects, payments, payment_outbox');
  }
}
