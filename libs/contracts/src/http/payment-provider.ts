import { z } from 'zod';
import { instantSchema } from './resource.js';

const secret = z.string().min(1).max(500).regex(/^[\x21-\x7e]+$/, 'A secret has no blanks and no control characters.');

/** `PUT /v1/organization/payment-provider`. */
export const paymentProviderSetSchema = z.discriminatedUnion('provider', [
  z.strictObject({
    provider: z.literal('stripe'),
    api_key: secret,
    webhook_secret: secret,
    api_base: z.url({ protocol: /^https?$/, error: 'Give a URL that starts with http:// or https://.' }).max(500).optional(),
  }),
  z.strictObject({ provider: z.literal('sandbox') }),
]);

export const paymentProviderSchema = z.object({
  object: z.literal('payment_provider'),
  provider: z.enum(['stripe', 'sandbox', 'none']),
  source: z.enum(['organization', 'environment', 'default']).meta({ description: 'Where the connection comes from.' }),
  api_base: z.string().nullable(),
  api_key_set: z.boolean().meta({ description: 'Secrets are never read back.' }),
  webhook_secret_set: z.boolean(),
  webhook_path: z.string().nullable().meta({ description: 'Where the provider is to send its events.' }),
  updated_at: instantSchema.nullable(),
});

export type PaymentProviderSet = z.infer<typeof paymentProviderSetSchema>;
export type PaymentProviderBody = z.infer<typeof paymentProviderSchema>;
