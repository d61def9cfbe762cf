import { subjectBucket } from '#domain';
import { until } from './running-product.ts';
import type { WholeProduct } from './whole-product.ts';

/** The month that stored usage lies in. */
export const month = { from: '2026-06-01T00:00:00Z', to: '2026-07-01T00:00:00Z' } as const;

const spreadMicros = 2_590_000_000_000; // 29.98 days.
const rowsAtOnce = 500_000; // So that a statement ends long before its time is up.

export interface UsageWanted {
  readonly eventType: string;
  readonly eventsPerCustomer: number;
  /** Inclusive. */
  readonly fromCustomer: number;
  /** Exclusive. */
  readonly toCustomer: number;
}

/** Stores these customers' events of the month as the aggregator would. Written by the engine itself: loading is not measured here. */
export async function storeUsage(whole: WholeProduct, { fromCustomer, toCustomer, ...wanted }: UsageWanted): Promise<void> {
  const customersAtOnce = Math.max(1, Math.floor(rowsAtOnce / wanted.eventsPerCustomer));
  for (let from = fromCustomer; from < toCustomer; from += customersAtOnce) {
    await storeAtOnce(whole, { ...wanted, fromCustomer: from, toCustomer: Math.min(from + customersAtOnce, toCustomer) });
  }
}

async function storeAtOnce(whole: WholeProduct, { eventType, eventsPerCustomer, fromCustomer, toCustomer }: UsageWanted): Promise<void> {
  const organizationId = await organizationOf(whole);
  const customers = toCustomer - fromCustomer;
  const buckets = Array.from({ length: customers }, (_, index) => subjectBucket(subjectOf(fromCustomer + index)));
  await whole.clickHouse.command({
    query: `INSERT INTO events (organization_id, event_type, bucket, subject, time, source, id, payload_hash, time_given, received_at, appended_at, partition, position, data, version, is_deleted)
      WITH number % ${customers} AS customer, intDiv(number, ${customers}) AS nth, number + ${fromCustomer * eventsPerCustomer} AS event
      SELECT '${organizationId}', '${eventType}', [${buckets.join(',')}][customer + 1], concat('subject-', toString(customer + ${fromCustomer})),
        fromUnixTimestamp64Micro(toInt64(${Temporal.Instant.from(month.from).epochMilliseconds}000 + nth * ${spreadMicros / eventsPerCustomer} + customer * 1009), 'UTC'), 'gw-eu-1', concat('event-', toString(event)),
        hex(SHA256(toString(event))), true, now64(6), now64(6), 0, event,
        concat('{"bytes":', toString(200 + cityHash64(event) % 5000), ',"latency_ms":', toString(event % 400), ',"route":"/v1/geocode","status":200}'), bitShiftLeft(toUInt64(1), 62) - 1 - event, 0
      FROM numbers(${customers * eventsPerCustomer}) SETTINGS async_insert = 0`,
  });
}

/** Makes a customer of the stored subject and gives its id. */
export async function makeCustomer({ product }: WholeProduct, customer: number): Promise<string> {
  const body = { key: `customer-${customer}`, name: `Customer ${customer}`, email: 'billing@customer.example', currency: 'USD', subjects: [subjectOf(customer)] };
  return (await product.expect<{ id: string }>(201, 'POST /v1/customers', body)).id;
}

/** A meter over what is stored; resolves when it is read from its rollups. */
export async function makeMeter({ product, pool }: WholeProduct, { key, eventType }: { readonly key: string; readonly eventType: string }): Promise<string> {
  const meter = await product.expect<{ id: string }>(201, 'POST /v1/meters', { key, name: 'Bytes', event_type: eventType, aggregation: 'sum', value: '$.bytes' });
  await until('the rollups are built', async () => (await pool.query('SELECT FROM meter_rollups WHERE meter_id = $1', [meter.id])).rowCount === 1);
  return key;
}

export function subjectOf(customer: number): string {
  return `subject-${customer}`;
}

export async function organizationOf({ pool }: WholeProduct): Promise<string> {
  const { rows } = await pool.query<{ id: string }>('SELECT id FROM organizations WHERE is_bootstrap');
  return rows[0]?.id ?? '';
}
