import type { IdentifiedPrice } from '#domain';
import type { ClosingDocument, CountedAs, LateProgress, LateSettlementNote, UsageBasis } from '#persistence';

export type EventChange = 'counted' | 'added' | 'amended' | 'removed';

/** What a document made of an event. */
export interface BilledChange {
  readonly change: EventChange;
  /** Null where it does not count any more. */
  readonly value: string | null;
  /** Null where nothing of it stands on a document. */
  readonly invoice: { readonly id: string; readonly number: string | null; readonly lineId: string } | null;
  readonly amountMinor: bigint;
  readonly absorbedMinor: bigint;
  readonly settledAt: Temporal.Instant | null;
}

/** An event in one line: what became of it, document by document. */
export interface BilledEntry {
  readonly group: Readonly<Record<string, string>>;
  readonly state: 'billed' | 'open' | 'unknown';
  readonly value: string | null;
  readonly documents: readonly BilledChange[];
  readonly pending: { readonly change: EventChange; readonly value: string | null; readonly invoiceId: string | null } | null;
}

/** A rating of a closed period by which an event may have counted. */
export interface BillingStep {
  /** Null for the period's last rating; else of what was settled later. */
  readonly generation: bigint | null;
  /** Null where it was not kept. */
  readonly basis: UsageBasis | null;
}

/** An event as one price has it at each step, and now. */
export interface PriceHistory {
  readonly price: IdentifiedPrice;
  /** Of those steps whose basis is kept. */
  readonly steps: readonly { readonly generation: bigint | null; readonly counted: CountedAs | null }[];
  readonly now: CountedAs | null;
}

/** What a period's documents say. */
export interface PeriodDocuments {
  readonly closing: ClosingDocument | null;
  readonly settlements: readonly LateSettlementNote[];
}

/** The generations that late usage of a period was settled by: those that changed an amount, and the latest, which may not have. */
export function settledGenerations(settlements: readonly LateSettlementNote[], progress: LateProgress | null): bigint[] {
  const all = new Set([...settlements.map(({ generation }) => generation), ...(progress?.isSettled === true ? [progress.generation] : [])]);
  return [...all].sort((a, b) => (a < b ? -1 : 1));
}

/** One entry for each group whose line the event was a part of at any time: an amendment may move it from one to another. */
export function entriesOf(history: PriceHistory, documents: PeriodDocuments): BilledEntry[] {
  const keyOf = (group: Readonly<Record<string, string>>): string => JSON.stringify((history.price.group_by ?? []).map((name) => group[name] ?? ''));
  const all = [...history.steps.map(({ counted }) => counted), history.now].filter((counted) => counted !== null);
  const groups = new Map(all.map(({ group }) => [keyOf(group), group]));
  return [...groups].map(([key, group]) => {
    const within = (counted: CountedAs | null): CountedAs | null => (counted !== null && keyOf(counted.group) === key ? counted : null);
    const isOfLine = (line: { readonly priceId: string; readonly groupValues: Readonly<Record<string, string>> }): boolean => line.priceId === history.price.id && keyOf(line.groupValues) === key;
    return { group, ...entryOf({ ...history, steps: history.steps.map((step) => ({ ...step, counted: within(step.counted) })), now: within(history.now) }, { documents, isOfLine }) };
  });
}

interface OfLine {
  readonly documents: PeriodDocuments;
  readonly isOfLine: (line: { readonly priceId: string; readonly groupValues: Readonly<Record<string, string>> }) => boolean;
}

function entryOf({ price, steps, now }: PriceHistory, of: OfLine): Omit<BilledEntry, 'group'> {
  const { closing } = of.documents;
  const value = now?.value ?? null;
  if (closing === null || !closing.isIssued) return { state: 'open', value, documents: [], pending: now === null ? null : { change: 'counted', value, invoiceId: closing?.invoiceId ?? null } };
  if (steps[0]?.generation !== null) return { state: 'unknown', value, documents: [], pending: null };
  let before: CountedAs | null = null;
  const documents: BilledChange[] = [];
  for (const { generation, counted } of steps) {
    const change = changeOf(before, counted, price);
    if (change !== null) documents.push({ change: generation === null ? 'counted' : change, value: counted?.value ?? null, ...(generation === null ? ownLine(closing, of) : lateLine(generation, of)) });
    before = counted;
  }
  const change = changeOf(before, now, price);
  return { state: change === null ? 'billed' : 'open', value, documents, pending: change === null ? null : { change, value, invoiceId: null } };
}

/** Null where it is as it was, as far as the price looks. */
function changeOf(before: CountedAs | null, after: CountedAs | null, price: IdentifiedPrice): Exclude<EventChange, 'counted'> | null {
  if (before === null || after === null) return before === after ? null : after === null ? 'removed' : 'added';
  const isSame = before.value === after.value && (!looksAtData(price) || before.data === after.data);
  return isSame ? null : 'amended';
}

/** A price may look at more of an event than its value and its group. */
function looksAtData({ model, currencies }: IdentifiedPrice): boolean {
  return [model, ...Object.values(currencies ?? {})].some(({ type }) => type === 'dynamic' || type === 'matrix');
}

type Bearing = Omit<BilledChange, 'change' | 'value'>;

function ownLine(closing: ClosingDocument, { isOfLine }: OfLine): Bearing {
  const line = closing.lines.find(isOfLine);
  const invoice = line === undefined ? null : { id: closing.invoiceId, number: closing.invoiceNumber, lineId: line.id };
  return { invoice, amountMinor: line?.amountMinor ?? 0n, absorbedMinor: 0n, settledAt: closing.issuedAt };
}

function lateLine(generation: bigint, { documents, isOfLine }: OfLine): Bearing {
  const note = documents.settlements.find((one) => one.generation === generation && isOfLine(one));
  const invoice = note === undefined || note.invoiceId === null || note.lineId === null ? null : { id: note.invoiceId, number: note.invoiceNumber, lineId: note.lineId };
  return { invoice, amountMinor: note?.billedMinor ?? 0n, absorbedMinor: note?.absorbedMinor ?? 0n, settledAt: note?.settledAt ?? null };
}
