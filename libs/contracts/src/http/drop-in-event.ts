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
