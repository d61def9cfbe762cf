import { z } from 'zod';
import { metadataSchema, nameSchema } from '#domain';
import { addressSchema, listSchema, resourceSchema, timeZoneInputSchema } from './resource.js';

const secondsPerDay = 86_400;

/** A duration of weeks, days, hours, minutes and seconds; null for what is none. Months have no fixed length, so they are none. */
export function durationSeconds(text: string): number | null {
  if (!/^P(?=.)(\d{1,5}W)?(\d{1,6}D)?(T(?=.)(\d{1,8}H)?(\d{1,8}M)?(\d{1,9}S)?)?$/.test(text)) return null;
  return Temporal.Duration.from(text).total({ unit: 'seconds', relativeTo: '2000-01-01T00:00:00+00:00[UTC]' });
}

/** Seconds in days, hours, minutes and seconds: 3600 is PT1H. */
export function durationText(seconds: number): string {
  return Temporal.Duration.from({ seconds }).round({ largestUnit: 'days' }).toString();
}

function durationSchema(bounds: { min: number; max: number }) {
  return z
    .string()
    .refine((text) => {
      const seconds = durationSeconds(text);
      return seconds !== null && seconds >= bounds.min && seconds <= bounds.max;
    }, `Give an ISO 8601 duration from ${durationText(bounds.min)} to ${durationText(bounds.max)}, without months and years.`)
    .meta({ format: 'duration' });
}

const gracePeriodSchema = durationSchema({ min: 0, max: 60 * secondsPerDay });
const dedupeWindowSchema = durationSchema({ min: 3_600, max: 400 * secondsPerDay });
const rawRetentionSchema = durationSchema({ min: secondsPerDay, max: 36_600 * secondsPerDay });

const legalEntitySchema = z.strictObject({
  name: nameSchema,
  address: addressSchema.nullable().optional(),
  tax_id: z.string().min(1).max(100).nullable().optional(),
});

const settings = {
  name: nameSchema,
  time_zone: timeZoneInputSchema,
  grace_period: gracePeriodSchema,
  rounding: z.enum(['half_away_from_zero', 'half_even']),
  dedupe_window: dedupeWindowSchema,
  raw_retention: rawRetentionSchema.nullable(),
  invoice_prefix: z.string().regex(/^[A-Z0-9][A-Z0-9-]{0,11}$/, 'A prefix is 1 to 12 of A–Z 0–9 and -, and does not start with -.'),
  legal_entity: legalEntitySchema.nullable(),
  invoice_footer: z.string().min(1).max(2_000).nullable(),
  metadata: metadataSchema,
};

/** `POST /v1/organizations`. */
export const organizationCreateSchema = z.strictObject({ name: nameSchema, mode: z.enum(['test', 'live']), metadata: metadataSchema.optional() });

/** `PATCH /v1/organization`. */
export const organizationUpdateSchema = z.strictObject(settings).partial();

export const organizationSchema = resourceSchema('organization', {
  ...settings,
  mode: z.enum(['test', 'live']),
  legal_entity: z.object({ name: z.string(), address: addressSchema.nullable(), tax_id: z.string().nullable() }).nullable(),
});

export const organizationListSchema = listSchema(organizationSchema);

export const organizationCreatedSchema = z.object({
  organization: organizationSchema,
  api_key: z.object({ id: z.string(), secret: z.string().meta({ description: 'Shown this once.' }) }),
});

export type OrganizationCreate = z.infer<typeof organizationCreateSchema>;
export type OrganizationUpdate = z.infer<typeof organizationUpdateSchema>;
export type OrganizationBody = z.infer<typeof organizationSchema>;
