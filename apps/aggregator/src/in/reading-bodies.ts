import type { EventListBody, MeterUsageBody } from '#contracts';
import { encodeCursor, exactJsonValue, type ListedCorrection, type UsageRow } from '#persistence';
import type { EventWithState } from '../list-events.js';
import type { MeterUsage } from '../read-meter-usage.js';

export function toEvent(event: EventWithState): EventListBody['data'][number] {
  return {
    id: event.id,
    object: 'event',
    source: event.source,
    type: event.type,
    subject: event.subject,
    customer: event.customerId,
    time: event.time,
    received_at: event.receivedAt,
    created_at: event.receivedAt,
    data: dataObject(event.data),
    original_data: event.originalData === null ? null : dataObject(event.originalData),
    corrections: event.corrections.map(toCorrection),
    state: event.state,
    meters: [...event.meters],
    reasons: event.reasons.map((reason) => ({ ...reason })),
    cursor: encodeCursor(event.cursor),
    metadata: {},
  };
}

export function toCorrection({ kind, data, reason, madeBy, receivedAt }: ListedCorrection): EventListBody['data'][number]['corrections'][number] {
  return { kind, data: data === null ? null : dataObject(data), reason, made_by: madeBy, received_at: receivedAt };
}

/** An object: ingest takes nothing else. */
function dataObject(text: string): Record<string, unknown> {
  return exactJsonValue(text) as Record<string, unknown>;
}

export function toMeterUsage(usage: MeterUsage): MeterUsageBody {
  return {
    data: usage.rows.map(toRow),
    from: usage.from.toString(),
    to: usage.to.toString(),
    ...(usage.groupsTotal === null ? {} : { groups_total: usage.groupsTotal }),
    fresh_as_of: usage.freshAsOf.toString(),
  };
}

function toRow(row: UsageRow): MeterUsageBody['data'][number] {
  return {
    window_start: row.windowStart.toString(),
    window_end: row.windowEnd.toString(),
    ...(row.customerId === undefined ? {} : { customer: row.customerId }),
    ...(row.subject === undefined ? {} : { subject: row.subject }),
    group: row.group,
    ...(row.isRest ? { other: true } : {}),
    value: row.value,
  };
}
