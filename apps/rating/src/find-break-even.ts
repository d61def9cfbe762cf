import type { EntityManager } from 'typeorm';
import type { BreakEvenRequest } from '#contracts';
import { breakEven, countingMeters, metersOf, priceFaults, type BreakEven, type BreakEvenTerms, meteredPriceFaults, type RateablePrice } from '#domain';
import { findOrganization, readMeters, type Database, type MeterResource } from '#persistence';
import { accepted, assert, refused, type InputFault, type Outcome } from '#platform';
import { findPricedPlan } from './find-priced-plan.js';

export type BreakEvenCode = 'invalid_request';

interface Compared {
  readonly terms: BreakEvenTerms;
  readonly faults: readonly InputFault[];
}

const none: Omit<BreakEvenTerms, 'pointer' | 'pointerOf'> = { prices: [], plan: null };

/** Where two plans or prices cost the same, and which is cheaper on each side. Stores nothing. */
export class FindBreakEven {
  constructor(private readonly database: Database) {}

  async execute(organizationId: string, request: BreakEvenRequest): Promise<Outcome<BreakEven, BreakEvenCode>> {
    return this.database.inOrganization(organizationId, async (manager) => {
      const organization = await findOrganization(manager, organizationId);
      assert(organization !== null, 'A credential belongs to an organization.');
      const meters = await readMeters(manager, { references: metersNamed(request) });
      const [a, b] = [await compared(manager, { organizationId, request, side: 'a', meters }), await compared(manager, { organizationId, request, side: 'b', meters })];
      const usage = usageByKey(request, meters);
      const meter = request.meter === undefined ? undefined : keyOf(request.meter, meters);
      const faults = [...a.faults, ...b.faults, ...usage.faults, ...(request.meter !== undefined && meter === undefined ? [unknownMeter('/meter')] : [])];
      if (faults.length > 0) return refused('invalid_request', 'This can not be compared as it stands.', faults);
      const all = await readMeters(manager, { references: [...a.terms.prices, ...b.terms.prices].flatMap(metersOf) });
      const { a: _a, b: _b, usage: _usage, quantities, ...asked } = request;
      const answer = breakEven({ ...asked, a: a.terms, b: b.terms, meter, usage: usage.byKey, quantities: new Map(Object.entries(quantities ?? {})), countingMeters: countingMeters(all) }, organization);
      return answer.ok ? accepted(answer.value) : refused('invalid_request', 'This can not be compared as it stands.', answer.faults);
    });
  }
}

function metersNamed({ a, b, meter, usage }: BreakEvenRequest): string[] {
  const ofPrices = [a.price, b.price].flatMap((price) => (price === undefined ? [] : metersOf(price)));
  return [...ofPrices, ...(meter === undefined ? [] : [meter]), ...Object.keys(usage ?? {})];
}

async function compared(manager: EntityManager, of: { organizationId: string; request: BreakEvenRequest; side: 'a' | 'b'; meters: readonly MeterResource[] }): Promise<Compared> {
  const { organizationId, request, side, meters } = of;
  const { plan, price, version } = request[side];
  if (plan === undefined) {
    assert(price !== undefined, 'The contract asks for a plan or a price.');
    return comparedPrice(price, { pointer: `/${side}/price`, meters, version, side });
  }
  const pointer = `/${side}/plan`;
  const pointerOf = (index: number): string => (typeof plan === 'string' ? pointer : `${pointer}/prices/${index}`);
  const found = await findPricedPlan(manager, { organizationId, plan, version, pointer: `/${side}` });
  if (!found.ok) return { terms: { ...none, pointer, pointerOf }, faults: found.errors ?? [] };
  const { prices, billingPeriod, currency } = found.value;
  return { terms: { prices, plan: { billingPeriod, currency }, pointer, pointerOf }, faults: [] };
}

function comparedPrice(price: RateablePrice, of: { pointer: string; meters: readonly MeterResource[]; version: unknown; side: string }): Compared {
  const { pointer, meters } = of;
  const faults: InputFault[] = [...priceFaults(price, pointer, { meterOptional: true })];
  if (of.version !== undefined) faults.push({ pointer: `/${of.side}/version`, code: 'not_allowed', detail: 'Only a stored plan has versions; leave this out.' });
  const meter = price.meter === undefined ? undefined : meters.find(({ id, key }) => id === price.meter || key === price.meter);
  if (price.meter !== undefined && meter === undefined) faults.push(unknownMeter(`${pointer}/meter`));
  if (meter !== undefined) faults.push(...meteredPriceFaults(price, { meter, pointer }));
  return { terms: { ...none, prices: [meter === undefined ? price : { ...price, meter: meter.key }], pointer, pointerOf: () => pointer }, faults };
}

function usageByKey({ usage = {} }: BreakEvenRequest, meters: readonly MeterResource[]) {
  const faults: InputFault[] = [];
  const byKey = new Map(Object.entries(usage).flatMap(([reference, use]) => {
    const pointer = `/usage/${reference}`;
    const key = keyOf(reference, meters);
    if (key === undefined) faults.push(unknownMeter(pointer));
    return key === undefined ? [] : [[key, { ...use, pointer }] as const];
  }));
  return { byKey, faults };
}

function keyOf(reference: string, meters: readonly MeterResource[]): string | undefined {
  return meters.find(({ id, key }) => id === reference || key === reference)?.key;
}

function unknownMeter(pointer: string): InputFault {
  return { pointer, code: 'unknown_meter', detail: 'There is no such meter; name one that there is, or make it first.' };
}
