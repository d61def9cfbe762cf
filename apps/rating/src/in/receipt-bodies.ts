import { toLineItemBody, type InvoiceVerificationBody, type LineEventListBody, type ReceiptBody } from '#contracts';
import { isTrueUp, stretchesWithin, type LineKind, type MeterDefinition } from '#domain';
import { encodeCursor, exactJsonValue, type LineEvent } from '#persistence';
import type { Receipt, ReceiptUsage } from '../read-receipt.js';
import type { InvoiceVerification } from '../verify-invoice.js';

const subjectsShownMax = 1_000;

/** Why lines have no events behind them. */
const withoutUsage: Readonly<Record<LineKind, string>> = {
  advance: 'A fee in advance: it follows from the price and the period.',
  arrears: 'A fee in arrears: it follows from the price and the period.',
  one_time: 'Owed once, at the start: it follows from the price alone.',
  proration: 'Unused time of a fee that was paid in advance: it follows from the price and the period.',
  carried_over: 'Moved between invoices: it follows from what another one could not ask for.',
  minimum: 'Raises the sum to what was committed: it follows from what documents charged.',
  discount: 'Taken off: it follows from the other lines.',
  tax: 'Tax: it follows from the other lines.',
  credit: 'Paid before: it follows from the credits that were there.',
  usage: 'Issued before the usage of lines was kept: only its trace is there.',
  adjustment: 'Issued before the usage of lines was kept: only its trace is there.',
};

export function toReceiptBody(receipt: Receipt): ReceiptBody {
  const { invoice, line, origin, usage, addOns } = receipt;
  const intact = usage === null ? null : line.usage?.events === usage.events && line.usage.digest === usage.digest;
  return {
    object: 'receipt',
    invoice: invoice.id,
    invoice_number: invoice.number,
    currency: invoice.currency,
    line: toLineItemBody(line, { id: line.id, currency: invoice.currency, isIssued: true, addOns }),
    plan: origin?.period.plan.planId ?? null,
    plan_version: origin?.period.plan.version ?? null,
    intact,
    usage: usage === null ? null : toUsage(usage),
    detail: usage === null || intact === null ? withoutUsage[isTrueUp(line) ? 'minimum' : line.kind] : detailOf(usage, intact),
  };
}

function detailOf({ events, changes }: ReceiptUsage, isIntact: boolean): string {
  if (!isIntact) return 'The events that are there now are not those that the line was made of: compare the digests hour by hour.';
  if (changes === null) return `Made of ${events} events, all of which are there as they were.`;
  return `Late usage: of ${events} events of the period by then, ${changes.added} had been added since it was settled before, and ${changes.amended} amended; ${changes.removed} had gone.`;
}

function toUsage(usage: ReceiptUsage): NonNullable<ReceiptBody['usage']> {
  const { meter, origin, hours, changes } = usage;
  const { period } = origin.part.billing;
  const attachments = origin.kept.basis.attachments;
  const text = (instant: Temporal.Instant | null): string | null => instant?.toString() ?? null;
  return {
    meter: {
      id: meter.id, key: meter.key, ...toDefinition(meter),
      versions: stretchesWithin(meter, { from: period.start, to: period.end }).map(({ part, from, to }) => ({ version: part.version, ...toDefinition(part), from: from.toString(), to: to.toString() })),
    },
    exempt: origin.price.exempt ?? null,
    period: { start: period.start.toString(), end: period.end.toString() },
    cut: [...(origin.kept.basis.cut ?? [])].map(([partition, before]) => ({ partition, before: before.toString() })),
    subjects: attachments.slice(0, subjectsShownMax).map(({ subject, fromAt, toAt }) => ({ subject, from: text(fromAt), to: text(toAt) })),
    subjects_total: attachments.length,
    events: usage.events.toString(),
    digest: usage.digest,
    hours: hours.map(({ hour, events, value, digest }) => ({ hour, events: events.toString(), value, digest })),
    changes: changes === null ? null : { added: changes.added.toString(), removed: changes.removed.toString(), amended: changes.amended.toString() },
  };
}

function toDefinition({ eventType, aggregation, valuePath, percentile, groupBy, filter }: MeterDefinition) {
  return { event_type: eventType, aggregation, value: valuePath, percentile, group_by: { ...groupBy }, filter };
}

export function toLineEventBody(event: LineEvent): LineEventListBody['data'][number] {
  return {
    id: event.id, object: 'line_event', source: event.source, type: event.type, subject: event.subject, time: event.time, received_at: event.receivedAt,
    data: exactJsonValue(event.data) as Record<string, unknown>, value: event.value, payload_hash: event.payloadHash, change: event.change, cursor: encodeCursor(event.cursor),
  };
}

export function toVerificationBody({ invoice, checked, unchecked, differences }: InvoiceVerification): InvoiceVerificationBody {
  return {
    object: 'invoice_verification',
    invoice: invoice.id,
    invoice_number: invoice.number,
    equal: differences.length === 0,
    checked: [...checked],
    unchecked: unchecked.map(({ lineId, detail }) => ({ line: lineId, detail })),
    differences: differences.map(({ lineId, ...difference }) => ({ line: lineId, ...difference })),
  };
}
