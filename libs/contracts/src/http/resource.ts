import { z } from 'zod';
import { isCurrency, isInstantText, isTimeZone, metadataSchema } from '#domain';

/** An RFC 3339 instant as it is sent: any offset, to the microsecond. */
export const instantInputSchema = z
  .string()
  .refine(isInstantText, 'Give an RFC 3339 instant between the years 2000 and 2200, such as "2026-11-01T10:00:00Z".')
  .meta({ format: 'date-time' });

export const instantSchema = z.string().meta({ format: 'date-time', description: 'RFC 3339, UTC.' });

export const currencyInputSchema = z.string().refine(isCurrency, 'This must be an ISO 4217 currency in capitals, such as "USD".').meta({ examples: ['USD'] });

export const timeZoneInputSchema = z.string().refine(isTimeZone, 'This must be an IANA time zone, such as "Europe/Berlin".').meta({ examples: ['Europe/Berlin'] });

export const addressSchema = z.strictObject({
  line1: z.string().max(200).optional(),
  line2: z.string().max(200).optional(),
  city: z.string().max(100).optional(),
  state: z.string().max(100).optional(),
  postal_code: z.string().max(20).optional(),
  country: z.string().regex(/^[A-Z]{2}$/, 'This must be an ISO 3166 country of two letters, such as "DE".').optional(),
});

/** The number of a version in a query. */
export const versionQuery = z.string().regex(/^[1-9]\d{0,8}$/, 'Give the number of a version.');

/** What every resource has. */
export function resourceSchema<Name extends string, Shape extends z.ZodRawShape>(name: Name, shape: Shape) {
  return z.object({ id: z.string(), object: z.literal(name), ...shape, created_at: instantSchema, metadata: metadataSchema }).meta({ id: nameOf(name) });
}

/** `credit_note` is called CreditNote among the components of the OpenAPI document. */
function nameOf(object: string): string {
  return object.split('_').map((word) => word.slice(0, 1).toUpperCase() + word.slice(1)).join('');
}

export function listSchema<Item extends z.ZodType>(item: Item) {
  return z.object({ data: z.array(item), has_more: z.boolean() });
}

/** True unless it is given and is neither "true" nor "false". */
export const flagQuerySchema = z.enum(['true', 'false']);
