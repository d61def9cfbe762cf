import type { EntityManager } from 'typeorm';
import { adjustmentLine, settleLateUsage, startOfLocalDay, type InvoiceLine, type SettledLateLine } from '#domain';
import { readLatePeriods, readPlanVersions, type InvoiceRecord, type LateSettlement, type OpenLatePeriod } from '#persistence';
import { assert } from '#platform';
import { lineId } from './derived-ids.js';

/** What the late usage of one closed period comes to by the policy of its plan version. */
export interface OwedPeriod {
  readonly late: OpenLatePeriod;
  readonly settled: readonly SettledLateLine[];
}

/** What a document bears of it. */
type Bearer = Pick<InvoiceRecord, 'subscriptionId' | 'kind' | 'closesIndex'>;

/** The late usage of these subscriptions that no document has settled, by subscription and in order of period. */
export async function readOwedLateUsage(manager: EntityManager, wanted: { organizationId: string; subscriptionIds: readonly string[] }): Promise<Map<string, OwedPeriod[]>> {
  const open = await readLatePeriods(manager, { ...wanted, subscriptionIds: [...new Set(wanted.subscriptionIds)] });
  if (open.length === 0) return new Map();
  const versions = new Map(open.map(({ planId, planVersion }) => [`${planId}/${planVersion}`, { planId, version: planVersion }]));
  const plans = new Map((await readPlanVersions(manager, [...versions.values()])).map((plan) => [`${plan.planId}/${plan.version}`, plan]));
  const owed = open.map((late): OwedPeriod => {
    const plan = plans.get(`${late.planId}/${late.planVersion}`);
    assert(plan !== undefined, 'A closed period keeps its plan version.');
    return { late, settled: settleLateUsage(late.lines, { lateUsage: plan.lateUsage, currency: late.currency }) };
  });
  return Map.groupBy(owed, ({ late }) => late.subscriptionId);
}

/** Takes out what this document is to bear: of periods before the one that it closes, whose own documents come before it. */
export function takeOwed(owed: Map<string, OwedPeriod[]>, bearer: Bearer): OwedPeriod[] {
  const ofSubscription = owed.get(bearer.subscriptionId) ?? [];
  const bears = ({ late }: OwedPeriod): boolean => bearer.kind === 'one_off' || (bearer.closesIndex !== null && late.periodIndex < bearer.closesIndex);
  owed.set(bearer.subscriptionId, ofSubscription.filter((period) => !bears(period)));
  return ofSubscription.filter(bears);
}

export function adjustmentLines(owed: readonly OwedPeriod[]): InvoiceLine[] {
  return owed.flatMap((period) => period.settled.flatMap((line) => adjustmentOf(period, line) ?? []));
}

/** Whether there is money in it, which is what makes a document of its own. */
export function owesMoney(owed: readonly OwedPeriod[]): boolean {
  return owed.some(({ settled }) => settled.some(({ billedMinor }) => billedMinor !== 0n));
}

/** What is noted of it: the invoice that bears it; none where there is nothing to bear. */
export function settlementsOf(
  owed: readonly OwedPeriod[],
  by: { readonly invoice: Pick<InvoiceRecord, 'id' | 'closesIndex' | 'periodEnd'> | null; readonly settledAt: Temporal.Instant },
): LateSettlement[] {
  const { invoice, settledAt } = by;
  return owed.map((period) => {
    const { timeZone } = period.late;
    // Late usage stands on the last day of the period whose invoice bears it; a one-off has none and stands on its own day.
    const shownAt = invoice === null || invoice.closesIndex === null ? settledAt : invoice.periodEnd.subtract({ nanoseconds: 1 });
    const day = shownAt.toZonedDateTimeISO(timeZone).toPlainDate();
    const settled = period.settled.map((line) => {
      const adjustment = invoice === null ? null : adjustmentOf(period, line);
      return { ...line, lineId: adjustment === null || invoice === null ? null : lineId({ invoiceId: invoice.id, ref: adjustment.ref }) };
    });
    return { late: period.late, settled, invoiceId: invoice?.id ?? null, day: day.toString(), dayStart: startOfLocalDay(day, timeZone), settledAt };
  });
}

function adjustmentOf({ late }: OwedPeriod, line: SettledLateLine): InvoiceLine | null {
  return adjustmentLine(line, { period: late.period, periodIndex: late.periodIndex, currency: late.currency });
}
