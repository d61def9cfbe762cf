import type { PlanRaise } from '#contracts';
import { canonicalDecimal, decimal, raisePrices, type Decimal } from '#domain';
import { accepted, refused, type InputFault, type Outcome } from '#platform';
import { withoutId } from './plan-terms.js';
import type { PlanRefusal, PlanView, Plans } from './plans.js';
import type { ReadPlans } from './read-plans.js';

const percentMax = 1_000;

/** Makes a version of a plan whose amounts are higher, or lower, by a percentage. Who is on an earlier version stays there until it is migrated. */
export class RaisePlan {
  constructor(
    private readonly plans: Plans,
    private readonly readPlans: ReadPlans,
  ) {}

  async execute(organizationId: string, at: { reference: string; input: PlanRaise }): Promise<Outcome<PlanView, PlanRefusal>> {
    const { input, reference } = at;
    const found = await this.readPlans.find(organizationId, { reference, version: null });
    if (!found.ok) return found;
    const { prices } = found.value.version;
    const percent = percentOf(input);
    const faults: InputFault[] = percent.ok ? [] : [...(percent.errors ?? [])];
    for (const [index, key] of (input.prices ?? []).entries()) {
      if (!prices.some((price) => price.key === key)) faults.push({ pointer: `/prices/${index}`, code: 'unknown_price', detail: 'The plan has no price with this key.' });
    }
    if (!percent.ok || faults.length > 0) return refused('invalid_request', 'The prices can not be raised so.', faults);
    const rises = (key: string): boolean => input.prices === undefined || input.prices.includes(key);
    const rise = { percent: percent.value, digits: input.digits ?? null };
    const change = { prices: prices.map(withoutId).map((price) => (rises(price.key) ? raisePrices(price, rise) : price)) };
    const raised = await this.plans.update(organizationId, { reference, change });
    return raised.ok || raised.code !== 'invalid_request' ? raised : refused('invalid_request', 'The prices can not be raised so.', [tooLong]);
  }
}

/** The prices were sound before, so only a raised amount can be at fault. */
const tooLong: InputFault = {
  pointer: '/digits', code: 'number_out_of_range', detail: 'A raised amount has more than 12 digits before or 18 after the point; give the digits to round to, or a smaller percentage.',
};

function percentOf({ percent }: PlanRaise): Outcome<Decimal, 'invalid_request'> {
  const canonical = canonicalDecimal(String(percent));
  const value = canonical === null || canonical.includes('e') ? null : decimal(canonical);
  if (value !== null && value.gt(-100) && value.lte(percentMax)) return accepted(value);
  return refused('invalid_request', 'The prices can not be raised so.', [
    { pointer: '/percent', code: 'number_out_of_range', detail: `Give a percentage above -100 and up to ${percentMax}, such as "3.5".` },
  ]);
}
