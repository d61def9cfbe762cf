import { z } from 'zod';
import { canonicalDecimal } from '../money/decimal-text.js';
import { referenceSchema } from './key.js';

const wholeMax = 1_000_000_000;
const wholeSchema = z.int().min(1).max(wholeMax);

export const entitlementResets = ['billing_period', 'day', 'month', 'never'] as const;
export type EntitlementReset = (typeof entitlementResets)[number];

/** What a plan lets a customer use, as it is sent. `value` belongs to static ones; limit, reset and enforcement to metered ones. Its faults of meaning are found by `entitlementFaults`. */
export const entitlementSchema = z.strictObject({
  /** Id or key. */
  feature: referenceSchema,
  type: z.enum(['boolean', 'static', 'metered']),
  value: z.union([z.string().max(1_000), z.boolean()]).optional().meta({ description: 'Of a static one: what the seller\u2019s own code reads, such as a region or a size. Decimals are text.' }),
  limit: z.string().max(300).nullable().optional().meta({ description: 'Of a metered one: how much may be used until the next reset, inclusive; null is no limit.' }),
  reset: z.enum(entitlementResets).optional().meta({ default: 'billing_period', description: 'Of a metered one: when it begins to count anew.' }),
  enforcement: z.enum(['hard', 'soft']).optional().meta({ default: 'hard', description: 'Of a metered one: hard refuses what goes beyond the limit, soft only says so.' }),
  rate_limit: z.strictObject({ limit: wholeSchema, per_seconds: wholeSchema }).optional().meta({ description: 'Told to the gateway, which keeps it.' }),
}).meta({ id: 'Entitlement' });

export type Entitlement = z.infer<typeof entitlementSchema>;

/** An entitlement in its one form, as a plan version keeps it: the feature by its key, nothing left to a default. */
export interface PlanEntitlement {
  readonly feature: string;
  readonly type: 'boolean' | 'static' | 'metered';
  readonly value?: string | boolean;
  readonly limit?: string | null;
  readonly reset?: EntitlementReset;
  readonly enforcement?: 'hard' | 'soft';
  readonly rate_limit?: { readonly limit: number; readonly per_seconds: number };
}

/** Fields of bodies that hold a decimal where they stand within the one before the point. */
export const entitlementDecimalFields: ReadonlySet<string> = new Set(['entitlements.limit']);

/** Entitlements without faults in their one form, so that equal ones are stored equal. */
export function canonicalEntitlement(given: Entitlement): PlanEntitlement {
  const { feature, type, value, limit, reset, enforcement, rate_limit: rateLimit } = given;
  const metered = { limit: typeof limit === 'string' ? (canonicalDecimal(limit) ?? limit) : null, reset: reset ?? 'billing_period', enforcement: enforcement ?? 'hard' };
  return {
    feature,
    type,
    ...(type === 'static' && value !== undefined ? { value } : {}),
    ...(type === 'metered' ? metered : {}),
    ...(rateLimit === undefined ? {} : { rate_limit: rateLimit }),
  };
}
