import type { EntityManager } from 'typeorm';
import { meteredPriceFaults, type Price } from '#domain';
import type { InputFault } from '#platform';
import { readMeters } from './catalog-tables.js';

/** Prices with their meters named by key, and what is wrong with their meters: one that is not there or not in use, or has not what the price looks at. */
export async function resolveMeteredPrices(manager: EntityManager, prices: readonly Price[], pointer: string): Promise<{ prices: Price[]; faults: InputFault[] }> {
  const references = prices.flatMap(({ meter }) => (meter === undefined ? [] : [meter]));
  const meters = references.length === 0 ? [] : await readMeters(manager, { references });
  const faults: InputFault[] = [];
  const resolved = prices.map((price, index) => {
    if (price.meter === undefined) return price;
    const meter = meters.find(({ id, key }) => id === price.meter || key === price.meter) ?? null;
    if (meter === null || meter.archivedAt !== null) {
      faults.push(unusable({ pointer: `${pointer}/${index}/meter`, noun: 'meter', found: meter }));
      return price;
    }
    faults.push(...meteredPriceFaults(price, { meter, pointer: `${pointer}/${index}` }));
    return { ...price, meter: meter.key };
  });
  return { prices: resolved, faults };
}

/** The fault of a reference to what is not there, or not in use any more. */
export function unusable(reference: { pointer: string; noun: string; found: { archivedAt: Temporal.Instant | null } | null }): InputFault {
  const { pointer, noun, found } = reference;
  return found === null
    ? { pointer, code: `unknown_${noun}`, detail: `There is no such ${noun}.` }
    : { pointer, code: `archived_${noun}`, detail: `This ${noun} is archived.` };
}
