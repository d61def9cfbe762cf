import type { Percentage } from '../catalog/model.js';
import { type Decimal, toPlain } from '../money/decimal.js';
import type { ChargedEvents } from './charge-events.js';
import { optionalDecimal, priceDecimal } from './price-decimal.js';
import { assertShares, type Share } from './share.js';

/** What was charged event by event, as one share. Unrounded. */
export function ratePercentage(quantity: Decimal, charged: ChargedEvents, model: Percentage): Share[] {
  const words = () => {
    const values = valuesOf(charged, model);
    return { detail: detailOf(values), values };
  };
  const shares = [{ ref: 'events', quantity, amount: charged.amount, words }];
  assertShares(shares, quantity);
  return shares;
}

const perEvent = ['fixed_amount', 'minimum_per_event', 'maximum_per_event'] as const;

function valuesOf(charged: ChargedEvents, model: Percentage): Record<string, string> {
  const given = perEvent.flatMap((name) => {
    const value = optionalDecimal(model[name] ?? undefined);
    return value === null || value.isZero() ? [] : [[name, toPlain(value)] as const];
  });
  return {
    free_events: String(charged.freeEvents),
    free_value: toPlain(charged.freeValue),
    charged_events: String(charged.chargedEvents),
    charged_value: toPlain(charged.chargedValue),
    rate: toPlain(priceDecimal(model.rate)),
    ...Object.fromEntries(given),
  };
}

function detailOf(values: Readonly<Record<string, string>>): string {
  const { fixed_amount: fixed, minimum_per_event: minimum, maximum_per_event: maximum } = values;
  const free = values['free_events'] === '0' ? '' : `${eventsWords(values['free_events'])} of ${values['free_value']} free, `;
  const each = [
    ...(fixed === undefined ? [] : [` + ${fixed} each`]),
    ...(minimum === undefined ? [] : [`, each at least ${minimum}`]),
    ...(maximum === undefined ? [] : [`, each at most ${maximum}`]),
  ];
  return `${free}${eventsWords(values['charged_events'])} charged: ${values['charged_value']} × ${values['rate']}%${each.join('')}`;
}

function eventsWords(count: string | undefined): string {
  return count === '1' ? '1 event' : `${count} events`;
}
