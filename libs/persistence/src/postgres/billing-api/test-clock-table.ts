import { EntitySchema, type EntityManager } from 'typeorm';
import { fromRow, instantColumn, textColumn, type Row } from './table-columns.js';

/** How long a process may go by what it read of a clock that was not on its way. */
export const testClockLeaseMs = 50;
/** After so long every lease that was taken before is over; the rest is for timers that fire early. */
export const testClockLeasesOverMs = testClockLeaseMs + 10;

/** Business time of a test organization. `now` null is system time; `target` is set exactly while it advances. */
export interface TestClock {
  readonly organizationId: string;
  readonly now: Temporal.Instant | null;
  readonly target: Temporal.Instant | null;
  readonly status: 'ready' | 'advancing';
}

export const testClockTable = new EntitySchema<TestClock>({
  name: 'TestClock',
  tableName: 'test_clocks',
  columns: {
    organizationId: textColumn('organization_id', { primary: true }),
    now: instantColumn('now', { nullable: true }),
    target: instantColumn('target', { nullable: true }),
    status: textColumn('status', { default: 'ready' }),
  },
  checks: [
    { name: 'test_clocks_status', expression: `status in ('ready', 'advancing')` },
    { name: 'test_clocks_target', expression: `(status = 'advancing') = (target is not null)` },
  ],
  foreignKeys: [{ name: 'test_clocks_organization', target: 'Organization', columnNames: ['organizationId'], referencedColumnNames: ['id'] }],
});

/** The clock of an organization, on system time where it has none. `forUpdate` holds it until the transaction ends. */
export async function readTestClock(manager: EntityManager, organizationId: string, options: { forUpdate?: boolean } = {}): Promise<TestClock> {
  const rows: Row[] = await manager.query(
    `select * from test_clocks where organization_id = $1${options.forUpdate === true ? ' for update' : ''}`, [organizationId]);
  return rows[0] === undefined ? { organizationId, now: null, target: null, status: 'ready' } : fromRow(testClockTable, rows[0]);
}
