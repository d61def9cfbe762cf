import { z } from 'zod';

const onOff = z.enum(['on', 'off'], 'Say on or off.').transform((value) => value === 'on');
const url = z.url({ protocol: /^https?$/, error: 'Give a URL that starts with http:// or https://.' });

/** What invoicing takes from the environment. */
export const invoicingConfigSchema = z
  .object({
    STRIPE_API_KEY: z.string().min(1).optional(),
    STRIPE_API_BASE: url.optional(),
    STRIPE_WEBHOOK_SECRET: z.string().min(1).optional(),
    TOLLWAY_ALLOW_STRIPE_BASE: onOff.default(false),
  })
  .refine((config) => config.STRIPE_API_KEY !== undefined || (config.STRIPE_API_BASE === undefined && config.STRIPE_WEBHOOK_SECRET === undefined), {
    path: ['STRIPE_API_KEY'],
    message: 'STRIPE_API_BASE and STRIPE_WEBHOOK_SECRET say nothing without STRIPE_API_KEY.',
  });

export type InvoicingConfig = z.output<typeof invoicingConfigSchema>;
