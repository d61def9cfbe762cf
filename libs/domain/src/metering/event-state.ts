import { matchesFilter } from './evaluate-expression.js';
import { valueByRule, type MeteredValueFault } from './metered-value.js';
import type { CountingRule } from './meter.js';

export interface EventReason {
  /** The meter's key; null where it is about the event as a whole. */
  readonly meter: string | null;
  readonly code: MeteredValueFault | 'filtered_out' | 'no_meter' | 'no_customer';
  readonly detail: string;
}

export interface EventState {
  /** Keys of the meters that count the event. */
  readonly meters: readonly string[];
  /** Why the others do not, and what else is worth knowing. */
  readonly reasons: readonly EventReason[];
}

const details: Readonly<Record<MeteredValueFault, string>> = {
  value_missing: 'The event has no value at the meter’s path.',
  value_no_decimal: 'The value is no decimal.',
  value_out_of_range: 'The value has more than 20 digits before or 18 after the point.',
  value_unknown: 'The value can not be worked out: something that it needs is missing, of another type or out of range, or a divisor is 0.',
};

/** By which meters of its type an event is counted, and why not by the others. */
export function eventState(event: { readonly data: unknown; readonly hasCustomer: boolean }, meters: readonly { readonly key: string; readonly rule: CountingRule }[]): EventState {
  const counting: string[] = [];
  const reasons: EventReason[] = [];
  for (const { key, rule } of meters) {
    const reason = reasonAgainst(event.data, rule);
    if (reason === null) counting.push(key);
    else reasons.push({ meter: key, ...reason });
  }
  if (meters.length === 0) reasons.push({ meter: null, code: 'no_meter', detail: 'No meter counts events of this type. A new one counts the past as well.' });
  if (!event.hasCustomer) reasons.push({ meter: null, code: 'no_customer', detail: 'The subject belonged to no customer at that time. Its usage is kept and counted once it is attached.' });
  return { meters: counting, reasons };
}

function reasonAgainst(data: unknown, rule: CountingRule): Pick<EventReason, 'code' | 'detail'> | null {
  if (rule.filter !== null && !matchesFilter(data, rule.filter)) return { code: 'filtered_out', detail: 'The event does not pass the meter’s filter.' };
  const value = valueByRule(data, rule);
  return value.ok ? null : { code: value.code, detail: details[value.code] };
}
