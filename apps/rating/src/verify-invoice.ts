import { decimal, formatMinor, isTrueUp, toPlain, type Decimal, type InvoiceLine } from '#domain';
import { readCarriedIn, type Database, type InvoiceLineRecord, type RatedLine, type RatedPeriod } from '#persistence';
import { accepted, assert, type Outcome } from '#platform';
import type { FindInvoiceUsage, InvoiceUsage, InvoiceUsageCode, UsageOrigin } from './find-invoice-usage.js';
import type { RateOnBasis } from './rate-on-basis.js';
import { remakeCharges } from './remade-charges.js';

/** One thing that does not come out as it stands on the document. */
export interface InvoiceDifference {
  /** Null where it is of the document as a whole, or of a line that it lacks. */
  readonly lineId: string | null;
  readonly field: 'line' | 'quantity' | 'unrounded_amount' | 'amount' | 'events' | 'digest' | 'subtotal' | 'total' | 'amount_due';
  readonly stored: string | null;
  readonly computed: string | null;
  readonly detail: string;
}

/** A line that can't be made again. */
export interface UncheckedLine {
  readonly lineId: string;
  readonly detail: string;
}

export interface InvoiceVerification extends Pick<InvoiceUsage, 'invoice'> {
  readonly checked: readonly string[];
  readonly unchecked: readonly UncheckedLine[];
  readonly differences: readonly InvoiceDifference[];
}

/** What a line comes to when it is made again. */
interface Remade {
  readonly quantity: Decimal | null;
  readonly unroundedAmount: Decimal | null;
  readonly amountMinor: bigint;
  readonly events: bigint | null;
  readonly digest: string | null;
}

interface Checked {
  readonly checked: string[];
  readonly unchecked: UncheckedLine[];
  readonly differences: InvoiceDifference[];
}

const feeKinds: ReadonlySet<string> = new Set(['advance', 'arrears', 'one_time', 'proration']);
/** Kinds that follow from usage: one that no rating leads to is one too many. */
const usageKinds: ReadonlySet<string> = new Set(['usage', 'adjustment']);

/** Makes an issued invoice once more, from the plan versions, the schedule and the usage that it was made of, and names what differs. Changes nothing. */
export class VerifyInvoice {
  constructor(private readonly use: { readonly database: Database; readonly findUsage: FindInvoiceUsage; readonly rateOnBasis: RateOnBasis }) {}

  async execute(key: { readonly organizationId: string; readonly invoiceId: string }): Promise<Outcome<InvoiceVerification, InvoiceUsageCode>> {
    const found = await this.use.findUsage.execute(key);
    if (!found.ok) return found;
    const result: Checked = { checked: [], unchecked: [], differences: [] };
    await this.checkUsage(found.value, result);
    await this.checkRest(found.value, result);
    checkTotals(found.value, result);
    return accepted({ invoice: found.value.invoice, ...result });
  }

  private async checkUsage(found: InvoiceUsage, result: Checked): Promise<void> {
    const { organization, lines, origins } = found;
    const ofBasis = Map.groupBy(lines.filter(({ id }) => origins.has(id)), ({ id }) => basisName(origins.get(id)));
    for (const own of ofBasis.values()) {
      const origin = origins.get(own[0]?.id ?? '');
      if (origin === undefined || origin.kept === null) {
        result.unchecked.push(...own.map(({ id }) => ({ lineId: id, detail: 'Issued before the usage of lines was kept.' })));
        continue;
      }
      const { period, kept } = origin;
      const command = { organization, periods: [period], now: period.billing.period.end, isFinal: true, generations: new Map() };
      const [rated] = await this.use.rateOnBasis.again(command, kept.basis);
      assert(rated !== undefined, 'Each period is rated once.');
      for (const line of own) compareLine(line, { remade: remadeUsage(line, { origin: origins.get(line.id) as UsageOrigin, rated }), found, result });
      if (origin.settled === null) missingLines(own, { rated, found, result });
    }
  }

  /** What follows from the schedule, from commitments and from earlier invoices. */
  private async checkRest(found: InvoiceUsage, result: Checked): Promise<void> {
    const { invoice, organization, origins } = found;
    const rest = found.lines.filter(({ id }) => !origins.has(id));
    const { carriedIn, fees, trueUps } = await this.use.database.inOrganization(organization.id, async (manager) => ({
      carriedIn: await readCarriedIn(manager, invoice.id), ...await remakeCharges(manager, found),
    }));
    const carried = remadeCarried(carriedIn, invoice.carriedOutMinor);
    const checks = [
      { lines: rest.filter(({ kind }) => feeKinds.has(kind)), made: fees },
      { lines: rest.filter((line) => isTrueUp(line)), made: trueUps },
      { lines: rest.filter(({ kind }) => kind === 'carried_over'), made: [carried] },
      { lines: rest.filter((line) => usageKinds.has(line.kind) && !isTrueUp(line)), made: [] },
    ];
    for (const { lines, made } of checks) checkMade(lines, { made, found, result });
    const known = new Set(checks.flatMap(({ lines }) => lines));
    for (const { id, kind } of rest.filter((line) => !known.has(line))) result.unchecked.push({ lineId: id, detail: `Lines of kind ${kind} are not made again; the sums of the document hold them.` });
  }
}

/** What a line is when it is made again, where no usage stands behind it. */
type MadeLine = Pick<InvoiceLine, 'description' | 'quantity' | 'unroundedAmount' | 'amountMinor'>;

/** By the way of making them that fits these lines best; then each by any, since what was frozen may be of another day than the rest. */
function checkMade(lines: readonly InvoiceLineRecord[], { made, found, result }: Comparing & { made: readonly ReadonlyMap<string, MadeLine>[] }): void {
  const ways = made.map((way) => ({ way, misses: missesOf(lines, way) })).toSorted((a, b) => a.misses - b.misses).map(({ way }) => way);
  for (const line of lines) {
    const one = ways.map((way) => way.get(line.ref)).find((candidate) => isSame(line, candidate)) ?? ways[0]?.get(line.ref);
    compareLine(line, { remade: one === undefined ? null : { ...one, events: null, digest: null }, found, result });
  }
  for (const one of lackingIn(lines, ways[0])) result.differences.push(lacking(one.description, { amountMinor: one.amountMinor, currency: found.invoice.currency }));
}

function missesOf(lines: readonly InvoiceLineRecord[], way: ReadonlyMap<string, MadeLine>): number {
  return lines.filter((line) => !isSame(line, way.get(line.ref))).length + lackingIn(lines, way).length;
}

function lackingIn(lines: readonly InvoiceLineRecord[], way: ReadonlyMap<string, MadeLine> | undefined): MadeLine[] {
  const stored = new Set(lines.map(({ ref }) => ref));
  return [...(way ?? [])].flatMap(([ref, one]) => (stored.has(ref) ? [] : [one]));
}

function basisName(origin: UsageOrigin | undefined): string {
  const { period, settled } = origin ?? {};
  return JSON.stringify([period?.subscription.id, period?.billing.number, settled?.generation.toString() ?? 'last']);
}

function isSame(line: InvoiceLineRecord, made: MadeLine | undefined): boolean {
  return made?.amountMinor === line.amountMinor;
}

/** A line of usage, or, of an adjustment, what it and all that was settled before add up to. */
function remadeUsage(line: InvoiceLineRecord, by: { origin: UsageOrigin; rated: RatedPeriod }): Remade | null {
  const { origin, rated } = by;
  const { settled } = origin;
  const ref = settled === null ? line.ref : `usage:${settled.priceId}:${settled.ref}`;
  const made = rated.lines.find((one) => one.kind === 'usage' && refOf(one) === ref);
  const proof = { events: line.usage === undefined ? null : (made?.usage?.events ?? 0n), digest: line.usage === undefined ? null : (made?.usage?.digest ?? null) };
  if (settled === null) return made === undefined ? null : { quantity: decimal(made.quantity), unroundedAmount: decimal(made.unroundedAmount), amountMinor: made.amountMinor, ...proof };
  // A line whose usage has gone comes to nothing.
  const { quantity, unroundedAmount, amountMinor } = made ?? { quantity: '0', unroundedAmount: '0', amountMinor: 0n };
  const { reached } = settled;
  return {
    quantity: line.quantity?.plus(decimal(quantity).minus(decimal(reached.quantity))) ?? null,
    unroundedAmount: line.unroundedAmount?.plus(decimal(unroundedAmount).minus(decimal(reached.unroundedAmount))) ?? null,
    amountMinor: line.amountMinor + amountMinor - reached.amountMinor,
    ...proof,
  };
}

/** What others left to this invoice, and what it left itself. */
function remadeCarried(carriedIn: ReadonlyMap<string, bigint>, carriedOutMinor: bigint): ReadonlyMap<string, MadeLine> {
  const lineOf = (from: string, amountMinor: bigint): [string, MadeLine] => [`carried_over:${from}`, { description: `Carried over (${from})`, quantity: null, unroundedAmount: null, amountMinor }];
  return new Map([...[...carriedIn].map(([from, amountMinor]) => lineOf(from, amountMinor)), ...(carriedOutMinor === 0n ? [] : [lineOf('next', -carriedOutMinor)])]);
}

function refOf(line: RatedLine): string {
  return `usage:${line.priceId}:${line.ref}`;
}

interface Comparing {
  readonly found: InvoiceUsage;
  readonly result: Checked;
}

function compareLine(line: InvoiceLineRecord, { remade, found, result }: Comparing & { remade: Remade | null }): void {
  const { currency } = found.invoice;
  result.checked.push(line.id);
  if (remade === null) {
    result.differences.push({ lineId: line.id, field: 'line', stored: formatMinor(line.amountMinor, currency), computed: null, detail: `Nothing leads to the line "${line.description}".` });
    return;
  }
  const plain = (value: Decimal | null): string | null => (value === null ? null : toPlain(value));
  const sides: [InvoiceDifference['field'], string | null, string | null, string][] = [
    ['quantity', plain(line.quantity), plain(remade.quantity), 'The quantity is another.'],
    ['unrounded_amount', plain(line.unroundedAmount), plain(remade.unroundedAmount), 'The amount before rounding is another.'],
    ['amount', formatMinor(line.amountMinor, currency), formatMinor(remade.amountMinor, currency), 'The amount is another.'],
    ['events', line.usage?.events.toString() ?? null, remade.events?.toString() ?? null, 'There are more or fewer events than the line was made of.'],
    ['digest', line.usage?.digest ?? null, remade.digest, 'The events are not those that the line was made of: its receipt has the digest of each hour.'],
  ];
  for (const [field, stored, computed, detail] of sides) if (stored !== computed) result.differences.push({ lineId: line.id, field, stored, computed, detail });
}

/** Lines that usage leads to and that the invoice lacks. */
function missingLines(own: readonly InvoiceLineRecord[], { rated, found, result }: Comparing & { rated: RatedPeriod }): void {
  const stored = new Set(own.map(({ ref }) => ref));
  for (const line of rated.lines) if (line.kind === 'usage' && !stored.has(refOf(line))) result.differences.push(lacking(line.description, { amountMinor: line.amountMinor, currency: found.invoice.currency }));
}

function lacking(description: string, of: { amountMinor: bigint; currency: string }): InvoiceDifference {
  return { lineId: null, field: 'line', stored: null, computed: formatMinor(of.amountMinor, of.currency), detail: `The invoice lacks the line "${description}".` };
}

function checkTotals({ invoice, lines }: InvoiceUsage, { differences }: Checked): void {
  const subtotal = lines.reduce((sum, { amountMinor }) => sum + amountMinor, 0n);
  const total = subtotal - invoice.discountMinor + invoice.taxMinor;
  const sums = [['subtotal', invoice.subtotalMinor, subtotal], ['total', invoice.totalMinor, total], ['amount_due', invoice.amountDueMinor, total - invoice.creditsAppliedMinor]] as const;
  for (const [field, stored, computed] of sums) {
    if (stored !== computed) differences.push({ lineId: null, field, stored: formatMinor(stored, invoice.currency), computed: formatMinor(computed, invoice.currency), detail: 'The lines add up to something else.' });
  }
}
