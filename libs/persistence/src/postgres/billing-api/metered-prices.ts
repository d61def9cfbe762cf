import type { EntityManager } from 'typeorm';
import { meteredPriceFaults, metersOf, type Price } from '#domain';
import type { InputFault } from '#platform';
import { readMeters, type MeterResource } from './catalog-tables.js';

/** Prices with their meters named by key, and what is wrong with their meters: one that is not there or not in use, or has not what the price looks at. */
export async function resolveMeteredPrices(manager: EntityManager, prices: readonly Price[], pointer: string): Promise<{ prices: Price[]; faults: InputFault[] }> {
  const references = prices.flatMap(metersOf);
  const meters = references.length === 0 ? [] : await readMeters(manager, { references });
  const faults: InputFault[] = [];
  const resolved = prices.map((price, index) => {
    const at = `${pointer}/${index}`;
    const credit = resolveSlaCredit(price, { meters, pointer: `${at}/sla_credit` });
    faults.push(...credit.faults);
    if (price.meter === undefined) return { ...price, ...credit.fields };
    const { key, faults: own } = resolveMeter(price.meter, { meters, pointer: `${at}/meter` });
    const meter = meters.find((one) => one.key === key);
    faults.push(...own, ...(meter === undefined || own.length > 0 ? [] : meteredPriceFaults(price, { meter, pointer: at })));
    return { ...price, meter: key, ...credit.fields };
  });
  return { prices: resolved, faults };
}

/** The credit of a price with its meters named by key; nothing where it has none. */
export function resolveSlaCredit(price: Pick<Price, 'sla_credit'>, of: { meters: readonly MeterResource[]; pointer: string }): { fields: Pick<Price, 'sla_credit'>; faults: InputFault[] } {
  const { sla_credit: credit } = price;
  if (credit === undefined) return { fields: {}, faults: [] };
  const names = (['meter', 'per'] as const).flatMap((field) => (credit[field] === undefined ? [] : [{ field, ...resolveMeter(credit[field], { ...of, pointer: `${of.pointer}/${field}` }) }]));
  return { fields: { sla_credit: { ...credit, ...Object.fromEntries(names.map(({ field, key }) => [field, key])) } }, faults: names.flatMap(({ faults }) => faults) };
}

/** The key of a meter that is in use; the reference as it is where there is none. */
function resolveMeter(reference: string, of: { meters: readonly MeterResource[]; pointer: string }): { key: string; faults: InputFault[] } {
  const meter = of.meters.find(({ id, key }) => id === reference || key === reference) ?? null;
  if (meter !== null && meter.archivedAt === null) return { key: meter.key, faults: [] };
  return { key: reference, faults: [unusable({ pointer: of.pointer, noun: 'meter', found: meter })] };
}

/** The fault of a reference to what is not there, or not in use any more. */
export function unusable(reference: { pointer: string; noun: string; found: { archivedAt: Temporal.Instant | null } | null }): InputFault {
  const { pointer, noun, found } = reference;
  return found === null
    ? { pointer, code: `unknown_${noun}`, detail: `There is no such ${noun}; name one that there is, or make it first.` }
    : { pointer, code: `archived_${noun}`, detail: `This ${noun} is archived; name one that is in use.` };
}
