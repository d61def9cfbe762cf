import type { EntityManager } from 'typeorm';
import { aggregatorGroup, topics } from '#contracts';
import { compareBytewise, meterDimensions, subjectBucket, type Meter, type UsageWindows } from '#domain';
import { accepted, assert, refused, type Accepted, type Clock, type EventLog } from '#platform';
import { readDirtyCells } from '../postgres/aggregator/dirty-marks.js';
import { readRolledUp } from '../postgres/aggregator/meter-rollups.js';
import { readAttachments, type Attachment } from '../postgres/billing-api/customer-tables.js';
import { readTestClock } from '../postgres/billing-api/test-clock-table.js';
import type { Database } from '../postgres/database.js';
import type { ClickHouse } from './clickhouse.js';
import { instantOfMicros, microsOf } from './sql-builder.js';
import { gaugeRows, gaugeSliceRows } from './gauge-answer.js';
import { hoursStatement, toScanRow, type HoursRow } from './hours-statement.js';
import { isGauge, rawParts, sliceScope } from './slice-scope.js';
import { cutCells, hourMicros, hourOf, spanOf, spansWithGaps, type SpanRange } from './subject-spans.js';
import { answeredValue, filledRows, sortedRows, toUsageRows } from './usage-answer.js';
import type { SlicedUsage, SliceQuery, SliceRow, Usage, UsageQuery, UsageRefusal } from './usage-query.js';
import type { GroupRanking, RawPart, ScanPart, ScanRow, ScanSubject, UsageScan, UsageSpan } from './usage-scan.js';
import { usageStatement } from './usage-statement.js';
import { hourWindowSql, windowSql } from './window-sql.js';

/** More cells than this are not told apart: everything is read raw, which is right as well, only slower. */
const cellsMax = 20_000;
const spansMax = 200_000;
const sliceRowsMax = 500_000;
/** Names that are parameters travel in the URL. */
const namedSubjectsMax = 20;

/** Reads usage: marks first, rollups after, so that each interleaving with the aggregator is right. */
export class UsageReader {
  constructor(private readonly use: { readonly clickhouse: ClickHouse; readonly database: Database; readonly log: EventLog; readonly clock: Clock }) {}

  /** The instant before which every acknowledged event is counted. */
  freshAsOf(): Promise<Temporal.Instant> {
    return this.use.log.completeAsOf({ topic: topics.usageEvents, group: aggregatorGroup });
  }

  async read(query: UsageQuery): Promise<Accepted<Usage> | UsageRefusal> {
    // Marks are read after it is known up to when everything is counted, so that none of that is missed.
    const [freshAsOf, to] = await Promise.all([this.freshAsOf(), this.endOf(query)]);
    const range = { from: microsOf(query.from), to };
    if (range.from >= range.to) return this.answer(query, { rows: [], customers: [], freshAsOf });
    const subjects = query.subjects?.map((name) => ({ name, bucket: subjectBucket(name) })) ?? null;
    const found = await this.use.database.inOrganization(query.meter.organizationId, (manager) => foundOf(manager, query, { ...range, subjects }));
    if (found === null) return tooLarge(query.rowsMax);
    const { parts, before, spans, customers } = found;
    if (parts.length === 0) return this.answer(query, { rows: [], customers, freshAsOf });
    const whose = isGauge(query.meter) ? { ...range, spans, subjects } : subjectsOf(query, { ...range, spans, subjects });
    const rows = await this.scan({
      meter: query.meter, ...whose, keepsRest: keepsRest(query), parts: partsWithin(parts, whose), before,
      window: windowSql(query.windows, range.from),
      hourWindow: hourWindowSql(query.windows, range.from),
      dimensions: query.groupBy,
      groupsBySubject: query.groupsBySubject,
      filters: Object.entries(query.filters).map(([dimension, texts]) => ({ dimension, texts })),
      ranking: rankingOf(query),
      isCumulative: false,
      rowsMax: query.rowsMax,
    });
    return this.answer(query, { rows, customers, freshAsOf });
  }

  /**
   * Each slice's value from its beginning until each of its ends, for all slices in one query. An end at which a group
   * has no usage yet has no row. At most 1,000 slices.
   */
  async readSlices(query: SliceQuery): Promise<SlicedUsage> {
    const freshAsOf = await this.freshAsOf();
    const { meter, scope } = await sliceScope(this.use, query);
    if (scope === null) return { rows: [], freshAsOf };
    const { from, to, spans } = scope;
    const isRolledUp = scope.exempt === null && scope.atCut === null;
    const whole: PartScope = { from, to, windows: { kind: 'whole' }, spans, buckets: bucketsOf({ subjects: null, spans, keepsRest: false }) };
    const parts = isRolledUp ? await this.use.database.inOrganization(meter.organizationId, (manager) => partsOf(manager, meter, whole)) : allRaw(meter, scope);
    const rows = await this.scan({
      ...scope, ...parts, window: '0', hourWindow: null,
      dimensions: query.groupBy,
      groupsBySubject: false, filters: [], ranking: null, isCumulative: query.isByEnd !== true && !isGauge(meter), rowsMax: sliceRowsMax,
    });
    assert(rows.length <= sliceRowsMax, `Slices have at most ${sliceRowsMax} rows; ask for fewer at once.`);
    return { rows: isGauge(meter) ? gaugeSliceRows(query, rows, from) : sliceRows(query, meter, rows), freshAsOf };
  }

  private async scan(scan: UsageScan): Promise<ScanRow[]> {
    const known = new Set(meterDimensions(scan.meter));
    assert([...scan.dimensions, ...scan.filters.map(({ dimension }) => dimension)].every((name) => known.has(name)), 'Dimensions are checked against the meter before.');
    const hours = hoursStatement(scan);
    return hours === null ? this.use.clickhouse.query<ScanRow>(usageStatement(scan)) : (await this.use.clickhouse.query<HoursRow>(hours)).map(toScanRow);
  }

  private answer(query: UsageQuery, found: { rows: readonly ScanRow[]; customers: readonly (string | null)[]; freshAsOf: Temporal.Instant }): Accepted<Usage> | UsageRefusal {
    if (found.rows.length > query.rowsMax) return tooLarge(query.rowsMax);
    const told = isGauge(query.meter) ? gaugeRows(query, found.rows) : found.rows;
    const rows = told === null ? null : filledRows(query, toUsageRows(query, told, found.customers));
    if (rows === null) return tooLarge(query.rowsMax);
    return accepted({ rows: sortedRows(query, rows), groupsTotal: query.groupsMax === null ? null : Number(found.rows[0]?.groups_total ?? 0), freshAsOf: found.freshAsOf });
  }

  /** Where a question's range ends: a gauge's value lasts until now, and nobody knows for how much longer. */
  private async endOf(query: UsageQuery): Promise<bigint> {
    const to = microsOf(query.to);
    if (!isGauge(query.meter)) return to;
    const { organizationId } = query.meter;
    const testClock = await this.use.database.inOrganization(organizationId, (manager) => readTestClock(manager, organizationId));
    const now = microsOf(testClock.now ?? this.use.clock.now());
    return now < to ? now : to;
  }
}

type ScanParts = Pick<UsageScan, 'parts' | 'before'>;

interface PartScope extends SpanRange {
  readonly windows: UsageWindows;
  readonly spans: readonly UsageSpan[] | null;
  readonly buckets: readonly number[] | null;
}

function allRaw(meter: Meter, range: SpanRange): ScanParts {
  return { parts: rawParts(meter, range), before: isGauge(meter) ? rawParts(meter, { from: 0n, to: range.from }) : null };
}

/** What a question is about: whose usage, and how it is read. No parts where there can be none. */
interface Found extends ScanParts {
  readonly spans: readonly UsageSpan[] | null;
  readonly customers: readonly (string | null)[];
}

/** Null where it is of more subjects than are told apart. */
async function foundOf(manager: EntityManager, query: UsageQuery, asked: SpanRange & { readonly subjects: readonly ScanSubject[] | null }): Promise<Found | null> {
  const attachments = await attachmentsFor(manager, query);
  if (attachments !== null && attachments.length > spansMax) return null;
  const customers: (string | null)[] = [null];
  const { subjects, ...range } = asked;
  const found = attachments === null ? null : querySpans({ ...query, range }, attachments, customers);
  // Where no subject belongs to a customer all usage is the rest's; a relation without rows would have no columns either.
  const spans = found?.length === 0 && keepsRest(query) ? null : found;
  if (spans?.length === 0) return { customers, spans, parts: [], before: null };
  const parts = await partsOf(manager, query.meter, { ...range, windows: query.windows, spans, buckets: bucketsOf({ subjects, spans, keepsRest: keepsRest(query) }) });
  return { customers, spans, ...parts };
}

/** Null where it does not matter who a subject belongs to. */
async function attachmentsFor(manager: EntityManager, { customerIds, groupsByCustomer, subjects }: UsageQuery): Promise<Attachment[] | null> {
  if (customerIds === null && !groupsByCustomer) return null;
  return readAttachments(manager, { ...(customerIds === null ? {} : { customerIds }), ...(subjects === null ? {} : { subjects }) });
}

/** Which versions count in the range, and in the time before it where a value is brought along from there, each with what of it is read raw. */
async function partsOf(manager: EntityManager, meter: Meter, scope: PartScope): Promise<ScanParts> {
  const { parts, before } = allRaw(meter, scope);
  return {
    parts: await withRaw(manager, parts, scope),
    // Windows that cut every hour cut none before the range but the one that it begins in.
    before: before === null ? null : await withRaw(manager, before, { ...scope, windows: { kind: 'whole' } }),
  };
}

/** What of the parts lies in a range. */
function partsWithin(parts: readonly ScanPart[], { from, to }: SpanRange): ScanPart[] {
  return parts.flatMap((part) => {
    const within = { ...part, from: part.from > from ? part.from : from, to: part.to < to ? part.to : to };
    return within.from < within.to ? [within] : [];
  });
}

/** Of versions that have rollups only what is dirty is raw, and the hours that a boundary cuts. */
async function withRaw(manager: EntityManager, parts: readonly ScanPart[], scope: PartScope): Promise<ScanPart[]> {
  const rolledUp = await readRolledUp(manager, parts.map(({ meter }) => meter));
  const read: ScanPart[] = [];
  for (const part of parts) read.push(rolledUp.has(part.meter) ? { ...part, raw: await rawPart(manager, part, scope) } : part);
  return read;
}

async function rawPart(manager: EntityManager, part: ScanPart, scope: PartScope): Promise<RawPart> {
  const hours = cutHours({ ...part, windows: scope.windows });
  if (hours === null) return { kind: 'all' };
  const cut = scope.spans === null ? [] : cutCells(scope.spans, part);
  const dirty = await readDirtyCells(manager, {
    organizationId: part.meter.organizationId, eventType: part.meter.eventType, buckets: scope.buckets, limit: cellsMax + 1,
    from: instantOfMicros(part.from), to: instantOfMicros(part.to),
  });
  if (dirty.length + cut.length > cellsMax) return { kind: 'all' };
  return { kind: 'some', hours, cells: [...dirty, ...cut] };
}

function tooLarge(rowsMax: number): UsageRefusal {
  return refused('result_too_large', `The answer has more than ${rowsMax} rows. Ask for a shorter range, wider windows, or group by less.`);
}

interface ScanSubjects {
  readonly from: bigint;
  readonly to: bigint;
  readonly spans: readonly UsageSpan[] | null;
  readonly subjects: readonly ScanSubject[] | null;
}

/** Few subjects that go to one line, each once and all over one stretch of time, need no relation of spans. */
function subjectsOf(query: UsageQuery, found: ScanSubjects): ScanSubjects {
  const [first, ...others] = found.spans ?? [];
  const isOneLine = !query.groupsByCustomer || query.customerIds?.length === 1;
  if (first === undefined || !isOneLine || others.length >= namedSubjectsMax) return found;
  if (others.some(({ ref, from, to }) => ref !== first.ref || from !== first.from || to !== first.to)) return found;
  return { from: first.from, to: first.to, spans: null, subjects: [first, ...others].map(({ subject, bucket }) => ({ name: subject, bucket })) };
}

/** Whether usage of subjects without a customer belongs to the answer. */
function keepsRest(query: UsageQuery): boolean {
  return query.customerIds === null && query.groupsByCustomer;
}

/** Null where groups stand by their keys and all are shown, as rows are sorted anyway. */
function rankingOf(query: UsageQuery): GroupRanking | null {
  if (query.groupOrder === 'key' && query.groupsMax === null) return null;
  return { order: query.groupOrder, groupsMax: query.groupsMax, hasWindows: query.windows.kind !== 'whole' };
}

/** Gives each customer a ref, its place in `customers`, in the order of their ids; 0 stands for none. */
function querySpans(query: UsageQuery & { readonly range: SpanRange }, attachments: readonly Attachment[], customers: (string | null)[]): UsageSpan[] {
  const { range } = query;
  if (!query.groupsByCustomer) return attachments.flatMap((attachment) => spanOf(attachment, { ...range, ref: 0, ends: [] }) ?? []);
  customers.push(...[...new Set(attachments.map(({ customerId }) => customerId))].sort(compareBytewise));
  const refs = new Map(customers.map((customerId, ref) => [customerId, ref]));
  const refOf = (customerId: string): number => refs.get(customerId) ?? 0;
  if (keepsRest(query)) return spansWithGaps(attachments, { ...range, refOf });
  return attachments.flatMap((attachment) => spanOf(attachment, { ...range, ref: refOf(attachment.customerId), ends: [] }) ?? []);
}

/** A cumulated value stands until the next one: ends between get the same. */
function sliceRows(query: SliceQuery, meter: Meter, scanned: readonly ScanRow[]): SliceRow[] {
  const lines = Map.groupBy(scanned, (row) => JSON.stringify([row.ref, row.groups]));
  return [...lines.values()].flatMap((line) => {
    const [first] = line;
    const slice = query.slices[first?.ref ?? -1];
    assert(first !== undefined && slice !== undefined, 'A row belongs to one of the slices.');
    const group = Object.fromEntries(query.groupBy.map((name, index) => [name, first.groups[index] ?? '']));
    const ends = [...slice.ends].sort(Temporal.Instant.compare);
    const rowAt = query.isByEnd === true ? new Map(line.map((row) => [Number(row.window_key), row])) : reachedRows(line, ends.length);
    return ends.flatMap((end, index): SliceRow[] => {
      const row = rowAt.get(index + 1);
      return row === undefined ? [] : [{ ref: slice.ref, end, group, value: answeredValue(row, meter) }];
    });
  });
}

/** The latest of the rows at or before each end, by the ends' places from 1. */
function reachedRows(line: readonly ScanRow[], endsCount: number): Map<number, ScanRow> {
  const reached = new Map<number, ScanRow>();
  let next = 0;
  for (let place = 1; place <= endsCount; place += 1) {
    while (next < line.length && Number(line[next]?.window_key) <= place) next += 1;
    const row = line[next - 1];
    if (row !== undefined) reached.set(place, row);
  }
  return reached;
}

/** The buckets that can occur; null for all. */
function bucketsOf(scope: { subjects: readonly ScanSubject[] | null; spans: readonly UsageSpan[] | null; keepsRest: boolean }): number[] | null {
  if (scope.subjects !== null) return [...new Set(scope.subjects.map(({ bucket }) => bucket))];
  return scope.spans === null || scope.keepsRest ? null : [...new Set(scope.spans.map(({ bucket }) => bucket))];
}

/** Hours (seconds since 1970) that a window's edge or the range's cuts; null where that is every hour, or too many. */
function cutHours(scope: { from: bigint; to: bigint; windows: UsageWindows }): number[] | null {
  const { windows } = scope;
  if (windows.kind === 'even' && (windows.widthSeconds % 3_600 !== 0 || microsOf(windows.origin) % hourMicros !== 0n)) return null;
  const edges = [scope.from, scope.to, ...(windows.kind === 'listed' ? windows.starts.map(microsOf) : [])];
  const hours = new Set(edges.filter((edge) => edge % hourMicros !== 0n).map(hourOf));
  return hours.size > cellsMax ? null : [...hours];
}
