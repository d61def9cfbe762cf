import { usageWindows, type WindowUnit } from '#domain';
import { readAttachments, readOldestOpenRating, type Attachment, type Database, type EventPages, type ExportRecord, type PagedEvent, type UsageReader, type UsageRow } from '#persistence';
import { accepted, refused, type Clock, type Outcome } from '#platform';
import type { ExportColumn, ExportPage, ExportRows } from './export-content.js';
import { exportedInvoiceColumns, invoicePages } from './export-invoices.js';
import { ratedUsageColumns, ratedUsagePages } from './export-rated-usage.js';
import { owns } from './list-events.js';
import { usageColumns } from './meter-usage-columns.js';
import type { MeterUsage, MeterUsageCode, ReadMeterUsage } from './read-meter-usage.js';

/** Rows of usage that are held at once: of a day, of a month, or of the whole where there are no windows. */
const rowsPerSliceMax = 200_000;
const sliceUnits: Readonly<Record<WindowUnit, 'day' | 'month'>> = { minute: 'day', hour: 'day', day: 'month', month: 'month' };
const eventColumns: readonly ExportColumn[] = [
  { name: 'id', kind: 'text' }, { name: 'source', kind: 'text' }, { name: 'type', kind: 'text' }, { name: 'subject', kind: 'text' }, { name: 'customer', kind: 'text' },
  { name: 'time', kind: 'instant' }, { name: 'received_at', kind: 'instant' }, { name: 'data', kind: 'text' },
];

export class UsageRefused extends Error {
  constructor(readonly code: MeterUsageCode, detail: string) {
    super(detail);
    this.name = 'UsageRefused';
  }
}

/** The rows of an export, read slice by slice as they are asked for. */
export class ReadExportRows {
  constructor(private readonly use: { readonly database: Database; readonly events: EventPages; readonly usage: UsageReader; readonly readMeterUsage: ReadMeterUsage; readonly clock: Clock; readonly rowsMax?: number }) {}

  async execute(record: ExportRecord): Promise<Outcome<ExportRows, MeterUsageCode>> {
    if (record.kind === 'usage') return this.usageRows(record);
    if (record.kind === 'rated_usage') return accepted({ columns: ratedUsageColumns, freshAsOf: await this.ratedAsOf(record), pages: ratedUsagePages(this.use.database, record, this.use.rowsMax) });
    if (record.kind === 'invoices') return accepted({ columns: exportedInvoiceColumns, freshAsOf: this.use.clock.now(), pages: invoicePages(this.use.database, record, this.use.rowsMax) });
    return accepted({ columns: eventColumns, freshAsOf: await this.use.usage.freshAsOf(), pages: this.eventPages(record) });
  }

  private async *eventPages({ organizationId, question }: ExportRecord): AsyncGenerator<ExportPage> {
    const { customerId = null } = question;
    const attached = customerId === null ? null : await this.attachments(organizationId, { customerIds: [customerId] });
    const pages = this.use.events.pages({
      organizationId, from: Temporal.Instant.from(question.from), to: Temporal.Instant.from(question.to), type: question.type ?? null, subjects: attached?.map(({ subject }) => subject) ?? null,
    });
    for await (const events of pages) {
      const attachments = Map.groupBy(attached ?? (await this.attachments(organizationId, { subjects: [...new Set(events.map(({ subject }) => subject))] })), ({ subject }) => subject);
      const rows = events.map((event) => ({ event, customer: attachments.get(event.subject)?.find((attachment) => owns(attachment, event))?.customerId ?? null }));
      yield rows.filter(({ customer }) => customerId === null || customer === customerId).map(({ event, customer }) => cellsOf(event, customer));
    }
  }

  /** Open periods are exported as they were rated last. */
  private async ratedAsOf({ organizationId }: ExportRecord): Promise<Temporal.Instant> {
    const countedAsOf = await this.use.usage.freshAsOf();
    const oldest = await this.use.database.inOrganization(organizationId, (manager) => readOldestOpenRating(manager, organizationId));
    return oldest !== null && Temporal.Instant.compare(oldest, countedAsOf) < 0 ? oldest : countedAsOf;
  }

  private attachments(organizationId: string, filter: Parameters<typeof readAttachments>[1]): Promise<Attachment[]> {
    return this.use.database.inOrganization(organizationId, (manager) => readAttachments(manager, filter));
  }

  private async usageRows(record: ExportRecord): Promise<Outcome<ExportRows, MeterUsageCode>> {
    const [first, ...others] = slicesOf(record);
    if (first === undefined) return refused('invalid_request', 'The range is empty.');
    const usage = await this.usageOf(record, first);
    if (!usage.ok) return usage;
    const columns = usageColumns(usage.value.shown);
    const cells = (rows: readonly UsageRow[]): ExportPage => rows.map((row) => columns.map(({ cell }) => cell(row) ?? null));
    const pages = async function* (this: ReadExportRows): AsyncGenerator<ExportPage> {
      yield cells(usage.value.rows);
      for (const slice of others) {
        const next = await this.usageOf(record, slice);
        if (!next.ok) throw new UsageRefused(next.code, next.detail);
        yield cells(next.value.rows);
      }
    };
    return accepted({ columns, freshAsOf: usage.value.freshAsOf, pages: pages.call(this) });
  }

  private usageOf({ organizationId, question }: ExportRecord, slice: { from: string; to: string }): Promise<Outcome<MeterUsage, MeterUsageCode>> {
    const { meterId = '', customerId, window, timeZone, groupBy } = question;
    const query = {
      ...slice,
      ...(customerId === undefined ? {} : { customer: customerId }),
      ...(window === undefined ? {} : { window }),
      ...(timeZone === undefined ? {} : { time_zone: timeZone }),
      ...(groupBy === undefined || groupBy.length === 0 ? {} : { group_by: groupBy.join(',') }),
    };
    return this.use.readMeterUsage.execute({ organizationId, meter: meterId }, query, this.use.rowsMax ?? rowsPerSliceMax);
  }
}

/** Days or months of the question's zone, so that no window is cut. */
function slicesOf({ question }: ExportRecord): { from: string; to: string }[] {
  const range = { from: Temporal.Instant.from(question.from), to: Temporal.Instant.from(question.to) };
  if (question.window === undefined) return [{ from: question.from, to: question.to }];
  const windows = usageWindows({ ...range, unit: sliceUnits[question.window], timeZone: question.timeZone ?? 'UTC' });
  const starts = windows.kind === 'listed' ? windows.starts : [range.from];
  return starts.map((start, index) => ({ from: start.toString(), to: (starts[index + 1] ?? range.to).toString() }));
}

function cellsOf(event: PagedEvent, customer: string | null): (string | null)[] {
  return [event.id, event.source, event.type, event.subject, customer, event.time, event.receivedAt, event.data];
}
