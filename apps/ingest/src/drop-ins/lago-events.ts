import { ExactNumber, isIdentityText, isJsonObject, type EventFieldNames, type JsonObject } from '#domain';
import type { ReceivedBatch } from '../received-batch.js';
import { mappedBatch, type MappedEvent } from './mapped-batch.js';
import { unixTime } from './unix-time.js';

const names: EventFieldNames = {
  id: 'transaction_id', source: 'external_subscription_id', type: 'code', subject: 'external_subscription_id', time: 'timestamp', data: 'properties',
};
const sourcePrefix = 'lago:';
const subscriptionIdSizeMax = 251;
/** What Lago calls the amount of an event, in cents. */
export const preciseAmount = 'precise_total_amount_cents';

/**
 * Lago's events. Its transaction ids are unique within a subscription, so the subscription is the source. An amount for its
 * dynamic prices stands in the data under its own name, where a meter may sum it.
 */
export function lagoEvents(batch: ReceivedBatch): ReceivedBatch {
  return mappedBatch(batch, { names, map: lagoEvent });
}

function lagoEvent(sent: JsonObject): MappedEvent {
  const { time, faults } = unixTime(sent.timestamp);
  const subscription = textOf(sent.external_subscription_id);
  const source = typeof subscription === 'string' ? sourcePrefix + subscription : undefined;
  if (isIdentityText(subscription) && !isIdentityText(source)) {
    faults.push({ pointer: '/external_subscription_id', code: 'too_long', detail: `external_subscription_id may have ${subscriptionIdSizeMax} bytes of UTF-8.` });
  }
  return { value: { id: textOf(sent.transaction_id), source, type: textOf(sent.code), subject: subscription, time, data: dataOf(sent) }, faults };
}

/** Lago takes numbers where it keeps text. */
function textOf(value: unknown): unknown {
  if (value instanceof ExactNumber) return value.text ?? value;
  return typeof value === 'number' ? String(value) : value;
}

function dataOf({ properties, [preciseAmount]: amount }: JsonObject): unknown {
  if (amount === undefined || amount === null) return properties;
  if (properties === undefined || properties === null) return { [preciseAmount]: amount };
  return isJsonObject(properties) ? { [preciseAmount]: amount, ...properties } : properties;
}
