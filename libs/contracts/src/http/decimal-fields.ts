import { breakEvenDecimalFields, entitlementDecimalFields, priceDecimalFields, simulationDecimalFields } from '#domain';

/** Fields of JSON bodies whose numbers are taken by their digits, on every route; "entitlements.limit" is a limit within entitlements alone. */
export const decimalFields: ReadonlySet<string> = new Set([...priceDecimalFields, ...simulationDecimalFields, ...breakEvenDecimalFields, ...entitlementDecimalFields, 'percentile']);
