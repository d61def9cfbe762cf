import type { MigrationInterface, QueryRunner } from 'typeorm';
import { protectTable } from '../protect-table.js';

const statements = [
  // A one-off takes the next free index of its subscription, so that an index still stands for one document.
  `alter table invoices drop constraint invoices_kind_check`,
  `alter table invoices add constraint invoices_kind_check check (kind in ('period', 'one_off'))`,
  `create table late_settled_periods (
     organization_id text not null,
     subscription_id text not null,
     period_index int not null,
     -- Of the late rating that was settled last.
     generation bigint not null,
     primary key (subscription_id, period_index)
   )`,
  `create table late_settlements (
     id bigint generated always as identity primary key,
     organization_id text not null,
     customer_id text not null,
     subscription_id text not null,
     period_index int not null,
     period_start timestamptz not null,
     period_end timestamptz not null,
     plan_id text not null,
     price_id text not null,
     price_key text not null,
     ref text not null,
     group_values jsonb not null,
     description text not null,
     generation bigint not null,
     complete_as_of timestamptz not null,
     -- All of these are differences to what was settled before.
     quantity numeric not null,
     unrounded_amount numeric not null,
     billed_minor numeric(78, 0) not null,
     absorbed_minor numeric(78, 0) not null,
     currency text not null,
     -- The document that bears billed_minor; null where there was nothing to bill.
     invoice_id text references invoices (id),
     line_id text,
     -- The local day on which a report shows it, and its start.
     day date not null,
     day_start timestamptz not null,
     -- Business time.
     settled_at timestamptz not null,
     created_at timestamptz not null default now(),
     constraint late_settlements_once unique (subscription_id, period_index, price_id, ref, generation),
     constraint late_settlements_billed check (invoice_id is not null or billed_minor = 0)
   )`,
  `create index late_settlements_report on late_settlements (organization_id, day_start)`,
  `create index late_settlements_of_invoice on late_settlements (invoice_id) where invoice_id is not null`,
];

/** What became of usage that came after its invoice: billed by which document, or absorbed. Only ever added to. */
export class LateSettlements1700000000045 implements MigrationInterface {
  name = 'LateSettlements1700000000045';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of statements) await runner.query(statement);
    await protectTable(runner, { table: 'late_settled_periods', owner: 'invoicing', readers: ['rating', 'billingApi'], worklistOf: ['invoicing'] });
    await protectTable(runner, { table: 'late_settlements', owner: 'invoicing', ownerMay: ['select', 'insert'], readers: ['rating', 'billingApi'] });
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table late_settlements, late_settled_periods');
    await runner.query(`alter table invoices drop constraint invoices_kind_check`);
    await runner.query(`alter table invoices add constraint invoices_kind_check check (kind in ('period'))`);
  }
}
