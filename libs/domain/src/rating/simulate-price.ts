import { z } from 'zod';
import type { CatalogFault } from '../catalog/catalog-fault.js';
import { checkedBesideShape } from '../catalog/checked-schema.js';
import { decimalFaults } from '../catalog/decimal-faults.js';
import { priceDecimalFields } from '../catalog/decimal-fields.js';
import { decimalTextSchema } from '../catalog/model.js';
import { currencyFaults } from '../catalog/plan-faults.js';
import { priceFaults } from '../catalog/price-faults.js';
import { simulatedPriceSchema } from '../catalog/price.js';
import type { BucketUnit } from '../period/bucket-periods.js';
import { isInstantText } from '../period/instant-text.js';
import { parseData } from '../metering/data-value.js';
import { matchesFilter } from '../metering/evaluate-expression.js';
import { parseFilter } from '../metering/parse-expression.js';
import { sumOf, toPlain } from '../money/decimal.js';
import { WHOLE } from '../period/proration-fraction.js';
import { formatMinor, type Rounding } from '../money/minor-units.js';
import { aggregateSimulated, type SimulatedMeter } from './aggregate-simulated.js';
import { chargeEvents, noEventsYet } from './charge-events.js';
import type { GroupUsage } from './pool-usage.js';
import { priceDecimal } from './price-decimal.js';
import { type PriceReading, readingOf } from './price-reading.js';
import type { StatedAmounts } from './rate-dynamic.js';
import { ratePrice } from './rate-price.js';
import type { TraceStep } from './trace.js';
import type { UsageAround } from './usage-around.js';

const eventsMax = 10_000;

const simulatedEventSchema = z.strictObject({
  value: decimalTextSchema,
  group: z.record(z.string().max(100), z.string().max(1_000)).optional(),
  /** For how many hours the value lasts; needed where the price's meter is a time-weighted sum, and only there. */
  hours: decimalTextSchema.optional(),
  /** What the event says that it costs; only a dynamic price looks at it. */
  amount: decimalTextSchema.optional(),
  /** RFC 3339; needed where each hour or day (of UTC) is priced by itself. */
  time: z.string().max(40).optional(),
  /** What the exemption of a price looks at. */
  data: z.record(z.string(), z.unknown()).optional(),
});

/** A price to try out, and a quantity or events to try it on. */
const simulationShape = z.strictObject({
  price: simulatedPriceSchema,
  currency: z.string().max(10),
  quantity: decimalTextSchema.optional(),
  events: z.array(simulatedEventSchema).max(eventsMax).optional(),
  /** What was metered in the period before, of whose included units the unused roll over; or since tiers that count on over several periods began to. */
  earlier: z.strictObject({ quantity: decimalTextSchema.optional(), events: z.array(simulatedEventSchema).max(eventsMax).optional() }).optional(),
  /** What the meter of the price's service level agreement came to; left out, nothing was measured. */
  sla_value: decimalTextSchema.optional(),
});

export type Simulation = z.infer<typeof simulationShape>;

/** Fields of a simulation that hold a decimal and may be sent as JSON numbers. */
export const simulationDecimalFields: ReadonlySet<string> = new Set([...priceDecimalFields, 'quantity', 'value', 'sla_value', 'hours']);

/** As it is answered: decimals as text, the posted amount with the currency's digits. */
export interface SimulatedPrice {
  readonly amount: string;
  readonly unrounded_amount: string;
  readonly quantity: string;
  readonly trace: readonly TraceStep[];
}

/** As it is sent. The meaning of one whose shape is right is checked with the meter that it names. */
export const simulationSchema = checkedBesideShape(simulationShape, simulationFaults);

/** Everything wrong with a simulation whose shape is right. */
export function simulationFaults(simulation: Simulation): CatalogFault[] {
  const { price, currency, earlier } = simulation;
  return [
    ...priceFaults(price, '/price', { meterOptional: true }),
    ...currencyFaults(currency),
    ...usedFaults(simulation, { price, pointer: '' }),
    ...(earlier === undefined ? [] : earlierFaults(earlier, price)),
    ...slaFaults(simulation),
  ];
}

function earlierFaults(earlier: Used, price: Simulation['price']): CatalogFault[] {
  if (price.rollover !== undefined || price.tier_period !== undefined) return usedFaults(earlier, { price, pointer: '/earlier' });
  return [{ pointer: '/earlier', code: 'not_allowed', detail: 'Earlier usage matters only where units roll over or tiers count on; give the price a rollover or a tier_period, or leave this out.' }];
}

function slaFaults({ price, sla_value: value }: Simulation): CatalogFault[] {
  if (value === undefined || price.sla_credit !== undefined) return decimalFaults({ text: value, pointer: '/sla_value', kind: 'quantity', mayBeNegative: true });
  return [{ pointer: '/sla_value', code: 'not_allowed', detail: 'Nothing is credited without an agreement; give the price an sla_credit, or leave this out.' }];
}

type Used = Pick<Simulation, 'quantity' | 'events'>;

function usedFaults({ quantity, events }: Used, at: { price: Simulation['price']; pointer: string }): CatalogFault[] {
  const { price, pointer } = at;
  const faults: CatalogFault[] = [];
  if (quantity === undefined && events === undefined) faults.push({ pointer: `${pointer}/quantity`, code: 'missing_field', detail: 'Give a quantity, or events to sum.' });
  if (quantity !== undefined && events !== undefined) faults.push({ pointer: `${pointer}/quantity`, code: 'not_allowed', detail: 'Give a quantity or events, not both.' });
  return [
    ...faults,
    ...decimalFaults({ text: quantity, pointer: `${pointer}/quantity`, kind: 'quantity', mayBeNegative: true }),
    ...(events ?? []).flatMap((event, index) => [
      ...decimalFaults({ text: event.value, pointer: `${pointer}/events/${index}/value`, kind: 'quantity', mayBeNegative: true }),
      ...hoursFaults(event.hours, `${pointer}/events/${index}/hours`),
      ...timeFaults(event.time, { isNeeded: price.bucket !== undefined, pointer: `${pointer}/events/${index}/time` }),
      ...decimalFaults({ text: event.amount, pointer: `${pointer}/events/${index}/amount`, kind: 'quantity', mayBeNegative: true }),
    ]),
  ];
}

function hoursFaults(hours: string | undefined, pointer: string): CatalogFault[] {
  const faults = decimalFaults({ text: hours, pointer, kind: 'quantity', mayBeNegative: true });
  if (faults.length > 0 || hours === undefined || !priceDecimal(hours).lt(0)) return faults;
  return [{ pointer, code: 'number_out_of_range', detail: 'A value lasts for 0 hours or more.' }];
}

/** What is wrong with a simulation in view of its price's meter: a value counts by the hours that it lasts in a time-weighted sum only. */
export function simulatedHoursFaults({ events, earlier }: Simulation, meter: SimulatedMeter | undefined): CatalogFault[] {
  const lasts = meter?.aggregation === 'time_weighted_sum';
  const given = [...(events ?? []).map(({ hours }, index) => ({ hours, pointer: `/events/${index}/hours` })), ...(earlier?.events ?? []).map(({ hours }, index) => ({ hours, pointer: `/earlier/events/${index}/hours` }))];
  return given.flatMap(({ hours, pointer }): CatalogFault[] => {
    if (lasts && hours === undefined) return [{ pointer, code: 'missing_field', detail: 'Say for how many hours the value lasts: the price’s meter is a time-weighted sum.' }];
    if (!lasts && hours !== undefined) return [{ pointer, code: 'not_allowed', detail: 'Leave this out: only a price whose meter is a time-weighted sum looks at how long a value lasts.' }];
    return [];
  });
}

/**
 * Rates a price without storing anything. The events, in the order of their time, are summed, or aggregated as the price's
 * meter does. A quantity above 0 stands for one event of that value.
 */
export function simulatePrice(simulation: Simulation, options: { rounding: Rounding; meter?: SimulatedMeter | undefined }): SimulatedPrice {
  const { price, currency } = simulation;
  const meter = options.meter ?? { aggregation: 'sum', percentile: null };
  const rated = ratePrice({ price, currency, rounding: options.rounding, ...usageAndAround(simulation, meter) });
  return {
    amount: formatMinor(rated.amountMinor, currency),
    unrounded_amount: toPlain(rated.unroundedAmount),
    quantity: toPlain(rated.quantity),
    trace: rated.trace,
  };
}

function usageAndAround(simulation: Simulation, meter: SimulatedMeter): { usage: readonly GroupUsage[]; around: UsageAround } {
  const { price, earlier, quantity, events } = simulation;
  const usage = simulatedUsage(simulation, meter);
  const slaValue = simulation.sla_value === undefined ? null : priceDecimal(simulation.sla_value);
  if (earlier === undefined) return { usage, around: { slaValue } };
  const before = simulatedUsage({ price, currency: simulation.currency, ...earlier }, meter);
  if (price.tier_period === undefined) return { usage, around: { slaValue, previous: { price, usage: before } } };
  const all = events !== undefined && earlier.events !== undefined ? simulatedUsage({ ...simulation, quantity, events: [...earlier.events, ...events] }, meter) : [...before, ...usage];
  return { usage: all, around: { slaValue, tierCount: { since: null, before, share: WHOLE } } };
}

/** As rating reads it for this price: by its groups, and with what a model that looks at single events makes of them. */
function simulatedUsage({ price, currency, quantity, events }: Simulation, meter: SimulatedMeter): GroupUsage[] {
  const reading = readingOf(price, currency);
  const given = pricedEvents(events ?? (quantity === undefined ? [] : [{ value: quantity }]), reading.exempt);
  if (reading.bucket !== null && quantity === undefined) return bucketedUsage(given, { reading, unit: reading.bucket, meter });
  const usage = quantity === undefined ? aggregateSimulated(given, { groupBy: reading.groupBy, meter }) : [{ group: {}, quantity: priceDecimal(quantity) }];
  const [only] = usage;
  if (only === undefined) return [];
  if (reading.percentage !== null) return [{ ...only, charged: chargeEvents(noEventsYet, given.map(({ value }) => priceDecimal(value)), reading.percentage) }];
  if (reading.statedPath !== null) return [{ ...only, stated: statedBy(given) }];
  return usage;
}

/** Each hour or day of UTC by itself. */
function bucketedUsage(events: readonly SimulatedEvent[], by: { reading: PriceReading; unit: BucketUnit; meter: SimulatedMeter }): GroupUsage[] {
  const startOf = ({ time }: SimulatedEvent): string => Temporal.Instant.from(time ?? '').toZonedDateTimeISO('UTC').round({ smallestUnit: by.unit, roundingMode: 'floor' }).toInstant().toString();
  return [...Map.groupBy(events, startOf)].flatMap(([start, within]) =>
    aggregateSimulated(within, { groupBy: by.reading.groupBy, meter: by.meter }).map((usage) => ({ ...usage, bucket: Temporal.Instant.from(start) })),
  );
}

function timeFaults(time: string | undefined, at: { isNeeded: boolean; pointer: string }): CatalogFault[] {
  if (time === undefined) return at.isNeeded ? [{ pointer: at.pointer, code: 'missing_field', detail: 'Give the time of the event, since each bucket is priced by itself.' }] : [];
  if (isInstantText(time)) return [];
  return [{ pointer: at.pointer, code: 'invalid_time', detail: 'Give an RFC 3339 instant between the years 2000 and 2200, such as "2026-11-01T10:00:00Z".' }];
}

type SimulatedEvent = z.infer<typeof simulatedEventSchema>;

function pricedEvents(events: readonly SimulatedEvent[], exempt: string | null): readonly SimulatedEvent[] {
  const filter = exempt === null ? null : parseFilter(exempt);
  if (filter === null || !filter.ok) return events;
  return events.filter(({ data }) => !matchesFilter(parseData(JSON.stringify(data ?? {})), filter.expression));
}

function statedBy(events: readonly { readonly value: string; readonly amount?: string | undefined }[]): StatedAmounts {
  const amounts = events.flatMap(({ amount }) => (amount === undefined ? [] : [priceDecimal(amount)]));
  return { sum: sumOf(amounts, (amount) => amount), missing: events.length - amounts.length };
}
