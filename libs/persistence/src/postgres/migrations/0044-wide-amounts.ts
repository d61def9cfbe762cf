import type { MigrationInterface, QueryRunner } from 'typeorm';

const columns = {
  rated_lines: ['amount_minor'],
  rated_days: ['amount_minor'],
  invoices: ['subtotal_minor', 'discount_minor', 'tax_minor', 'credits_applied_minor', 'total_minor', 'amount_due_minor', 'amount_paid_minor', 'carried_out_minor'],
  invoice_lines: ['amount_minor'],
  payments: ['amount_minor'],
};

/**
 * A quantity of 20 digits at a price of 12 makes amounts far above what a bigint holds. A gateway that reports one such number
 * must not keep a customer's invoices from ever being made. Sums of many such events fit as well.
 */
export class WideAmounts1700000000044 implements MigrationInterface {
  name = 'WideAmounts1700000000044';

  async up(runner: QueryRunner): Promise<void> {
    await change(runner, 'numeric(78, 0)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await change(runner, 'bigint');
  }
}

async function change(runner: QueryRunner, type: string): Promise<void> {
  for (const [table, names] of Object.entries(columns)) {
    await runner.query(`alter table ${table} ${names.map((name) => `alter column ${name} type ${type}`).join(', ')}`);
  }
}
