import { DataSource } from 'typeorm';
import { expect, it } from 'vitest';
import { usePostgres } from '#testing';
import { migrateDatabase } from '../migrate.js';
import { DaysInRows1700000000120 } from '../migrations/0120-days-in-rows.js';

// Goal: days that an older version stored are there after the migration, and after it was taken back. Method: there and back twice, on rows as that version wrote them.

const postgres = usePostgres();

it('makes one row of the days of a price, and of that row the days again', async () => {
  const { url } = await postgres.freshDatabase({ template: { name: 'migrated', prepare: async (made) => void (await migrateDatabase(made)) } });
  const source = await new DataSource({ type: 'postgres', url }).initialize();
  const runner = source.createQueryRunner();
  const migration = new DaysInRows1700000000120();
  await migration.down(runner);
  await runner.query(
    `insert into rated_periods (organization_id, subscription_id, period_index, customer_id, plan_id, plan_version, period_start, period_end, is_final, complete_as_of, generation, rated_at)
     values ('org_a', 'sub_a', 1, 'cus_a', 'plan_a', 1, '2026-01-01', '2026-02-01', true, now(), 1, now())`);
  const single = (price: string, day: string, quantity: string, minor: string): string =>
    `('org_a', 'sub_a', 1, 'cus_a', 'plan_a', '${price}', '${price}-key', '${day}', '${day}T00:00:00Z', ${quantity}, ${minor}, 'USD')`;
  const days = [single('b', '2026-01-02', '0', '0'), single('a', '2026-01-02', '0.000000000000000001', '9007199254740993'), single('a', '2026-01-01', '2.50', '-3')];
  await runner.query(`insert into rated_days (organization_id, subscription_id, period_index, customer_id, plan_id, price_id, price_key, day, day_start, quantity, amount_minor, currency) values ${days.join(', ')}`);
  const stored = (): Promise<unknown> => runner.query(`select price_id, price_key, days::text, quantities::text, amounts_minor::text, first_start::date::text as first, last_start::date::text as last from rated_days order by 1`);
  const rows = [
    { price_id: 'a', price_key: 'a-key', days: '{2026-01-01,2026-01-02}', quantities: '{2.50,0.000000000000000001}', amounts_minor: '{-3,9007199254740993}', first: '2026-01-01', last: '2026-01-02' },
    { price_id: 'b', price_key: 'b-key', days: '{2026-01-02}', quantities: '{0}', amounts_minor: '{0}', first: '2026-01-02', last: '2026-01-02' },
  ];
  await migration.up(runner);
  expect(await stored()).toEqual(rows);
  await migration.down(runner);
  expect(await runner.query('select count(*)::int as days from rated_days')).toEqual([{ days: 3 }]);
  await migration.up(runner);
  expect(await stored()).toEqual(rows);
  await runner.release();
  await source.destroy();
});
