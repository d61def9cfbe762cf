import { z } from 'zod';
import { eventsMax, refusedEventSchema } from './event.js';

const lagoText = z.union([z.string().min(1).max(256), z.number()]);

/** One event as Lago's clients send it. */
export const lagoEventSchema = z
  .object({
    transaction_id: lagoText.meta({ description: 'Unique within the subscription; becomes the id.' }),
    external_subscription_id: lagoText.meta({ description: 'Becomes the subject, and "lago:" with it the source. At most 251 bytes of UTF-8.' }),
    code: lagoText.meta({ description: 'Becomes the type.' }),
    timestamp: z.union([z.string(), z.number()]).nullish().meta({ description: 'Unix seconds, with decimals or without. Default: the receipt.' }),
    precise_total_amount_cents: z.union([z.string(), z.number()]).nullish().meta({ description: 'Stands in the data under its own name.' }),
    properties: z.record(z.string(), z.unknown()).nullish().meta({ description: 'Become the data.' }),
  });

export const lagoEventBodySchema = z.object({ event: lagoEventSchema });
export const lagoBatchBodySchema = z.object({ events: z.array(lagoEventSchema).max(eventsMax) });

const lagoEventAnswerSchema = z
  .object({
    lago_id: z.uuid().meta({ description: 'The same for every copy of an event.' }),
    transaction_id: z.string(),
    lago_customer_id: z.null(),
    code: z.string(),
    timestamp: z.iso.datetime(),
    lago_subscription_id: z.null(),
    external_subscription_id: z.string(),
    created_at: z.iso.datetime(),
    precise_total_amount_cents: z.union([z.string(), z.number()]).nullable(),
    properties: z.record(z.string(), z.unknown()),
  });

export const lagoEventCreatedSchema = z.object({ event: lagoEventAnswerSchema });
export const lagoBatchCreatedSchema = z.object({ events: z.array(lagoEventAnswerSchema) });

/** What stands in a refusal beside the problem, for Lago's clients. */
export const lagoRefusalSchema = z
  .object({
    error: z.literal('Unprocessable Entity'),
    error_details: z.record(z.string(), z.unknown()).meta({ description: 'Codes of Lago by field; of a batch, by the place of the event and field.' }),
    accepted: z.int().min(0),
    rejected: z.array(refusedEventSchema),
  });

const stripePayload = z
  .looseObject({ stripe_customer_id: z.string().min(1).max(256).meta({ description: 'Becomes the subject.' }) })
  .meta({ description: 'Becomes the data. Decimal strings are numbers to a meter.' });
const stripeIdentifier = z.string().min(1).max(256).optional().meta({ description: 'Becomes the id, of source "stripe". Default: one made of the Idempotency-Key, or a new one.' });
const stripeEventName = z.string().min(1).max(256).meta({ description: 'Becomes the type.' });

/** Stripe's meter event as its API v1 takes it, in a form: `payload[value]=…`. */
export const stripeMeterEventV1Schema = z
  .object({ event_name: stripeEventName, payload: stripePayload, identifier: stripeIdentifier, timestamp: z.int().optional().meta({ description: 'Unix seconds. Default: the receipt.' }) });

export const stripeMeterEventV2Schema = z
  .object({ event_name: stripeEventName, payload: stripePayload, identifier: stripeIdentifier, timestamp: z.iso.datetime({ offset: true }).optional() });

export const stripeMeterEventStreamSchema = z.object({ events: z.array(stripeMeterEventV2Schema).max(eventsMax) });

const stripeMeterEventAnswer = { event_name: z.string(), identifier: z.string(), livemode: z.boolean(), payload: z.record(z.string(), z.unknown()) };

export const stripeMeterEventV1CreatedSchema = z.object({ object: z.literal('billing.meter_event'), ...stripeMeterEventAnswer, created: z.int(), timestamp: z.int() });
export const stripeMeterEventV2CreatedSchema = z
  .object({ object: z.literal('v2.billing.meter_event'), ...stripeMeterEventAnswer, created: z.iso.datetime(), timestamp: z.iso.datetime() });

export const stripeMeterEventSessionSchema = z
  .object({
    id: z.string(),
    object: z.literal('v2.billing.meter_event_session'),
    authentication_token: z.string().meta({ description: 'The bearer token for the stream.' }),
    created: z.iso.datetime(),
    expires_at: z.iso.datetime().meta({ description: 'A quarter of an hour later.' }),
    livemode: z.boolean(),
  });

export const stripeErrorSchema = z
  .object({
    error: z.object({
      type: z.enum(['invalid_request_error', 'temporary_session_expired', 'api_error']),
      code: z.string(),
      message: z.string(),
      param: z.string().optional().meta({ description: 'The first faulty field, as payload[value].' }),
      errors: z.array(z.object({ pointer: z.string(), code: z.string(), detail: z.string() })).optional().meta({ description: 'Every fault.' }),
    }),
  });
