import type { Meter } from '#domain';
import { decodeCursor, proofOfHours, type LineChanges, type LineEvent, type LineHour, type InvoiceLineRecord, type LineUsageReader, type OneLineQuery } from '#persistence';
import { accepted, assert, refused, type ListPage, type Outcome } from '#platform';
import type { FindInvoiceUsage, InvoiceUsage, InvoiceUsageCode, UsageOrigin } from './find-invoice-usage.js';
import { questionOf, sliceOf } from './rate-on-basis.js';

export interface LineKey {
  readonly organizationId: string;
  readonly invoiceId: string;
  readonly lineId: string;
}

/** The usage behind a line, read again as it was when the line was made. */
export interface ReceiptUsage {
  readonly origin: UsageOrigin & { readonly kept: NonNullable<UsageOrigin['kept']> };
  readonly meter: Meter;
  readonly hours: readonly LineHour[];
  readonly events: bigint;
  /** Of the events that are there now; equal to the line's own while none was added, taken away or replaced. */
  readonly digest: string;
  /** Of an adjustment: what is different from what was settled before; null where that is not kept. */
  readonly changes: LineChanges | null;
}

export interface Receipt extends Pick<InvoiceUsage, 'invoice' | 'addOns'> {
  readonly line: InvoiceLineRecord;
  readonly origin: UsageOrigin | null;
  /** Null where no events stand behind the line, or it was issued before they were kept. */
  readonly usage: ReceiptUsage | null;
}

export type ReceiptCode = InvoiceUsageCode;
export type LineEventsCode = InvoiceUsageCode | 'invalid_request';

const noUsage = { events: [], hasMore: false };

/** Opens a line of an issued invoice: to its trace, the hours that were used, and the very events. */
export class ReadReceipt {
  constructor(private readonly use: { readonly findUsage: FindInvoiceUsage; readonly lineUsages: LineUsageReader }) {}

  async execute(key: LineKey): Promise<Outcome<Receipt, ReceiptCode>> {
    const found = await this.find(key);
    if (!found.ok) return found;
    const { invoice, addOns, line, origin } = found.value;
    if (origin === null || origin.kept === null) return accepted({ invoice, addOns, line, origin, usage: null });
    const query = queryOf(key.organizationId, { line, origin });
    const hours = await this.use.lineUsages.hours(query);
    const changes = origin.settled === null || origin.before === null ? null : await this.use.lineUsages.changes(query, origin.before.basis);
    const meter = origin.kept.basis.meters.find(({ id }) => id === query.meterId);
    assert(meter !== undefined, 'A basis has the meters of its prices.');
    return accepted({ invoice, addOns, line, origin, usage: { origin: { ...origin, kept: origin.kept }, meter, hours, ...proofOfHours(hours), changes } });
  }

  /** The events of a line in order of time; of an adjustment those that it settles. */
  async events(key: LineKey, page: ListPage): Promise<Outcome<{ events: readonly LineEvent[]; hasMore: boolean }, LineEventsCode>> {
    const [after, before] = [cursorOf(page.startingAfter), cursorOf(page.endingBefore)];
    if (after === undefined || before === undefined) {
      const pointer = after === undefined ? '/starting_after' : '/ending_before';
      return refused('invalid_request', 'The page can not be found.', [{ pointer, code: 'unknown_cursor', detail: 'Give the cursor of an event of this list.' }]);
    }
    const found = await this.find(key);
    if (!found.ok) return found;
    const { line, origin } = found.value;
    if (origin === null || origin.kept === null || (origin.settled !== null && origin.before === null)) return accepted(noUsage);
    const query = queryOf(key.organizationId, { line, origin });
    const events = await this.use.lineUsages.events(query, { after, before, limit: page.limit + 1, since: origin.settled === null ? null : (origin.before?.basis ?? null) });
    const hasMore = events.length > page.limit;
    return accepted({ events: after === null && before !== null ? events.slice(hasMore ? 1 : 0) : events.slice(0, page.limit), hasMore });
  }

  private async find(key: LineKey): Promise<Outcome<Pick<InvoiceUsage, 'invoice' | 'addOns'> & { line: InvoiceLineRecord; origin: UsageOrigin | null }, InvoiceUsageCode>> {
    const found = await this.use.findUsage.execute(key);
    if (!found.ok) return found;
    const { invoice, addOns, lines, origins } = found.value;
    const line = lines.find(({ id }) => id === key.lineId);
    return line === undefined ? refused('not_found', 'The invoice has no such line.') : accepted({ invoice, addOns, line, origin: origins.get(line.id) ?? null });
  }
}

/** A line without a group has the events of all groups. */
function queryOf(organizationId: string, { line, origin }: { line: InvoiceLineRecord; origin: UsageOrigin }): OneLineQuery {
  const basis = origin.kept?.basis;
  assert(basis !== undefined, 'A receipt is of a basis that was kept.');
  const { meterId, exempt } = questionOf(origin.price, basis);
  return { organizationId, meterId, exempt, slices: [sliceOf(origin.part, 'line')], basis, group: line.groupValues };
}

/** Undefined for what is none. */
function cursorOf(text: string | null): ReturnType<typeof decodeCursor> | undefined {
  return text === null ? null : (decodeCursor(text) ?? undefined);
}
