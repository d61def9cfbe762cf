import { breakEvenDecimalFields, priceDecimalFields, simulationDecimalFields } from '#domain';

/** Fields of JSON bodies whose numbers are taken by their digits, on every route. */
export const decimalFields: ReadonlySet<string> = new Set([...priceDecimalFields, ...simulationDecimalFields, ...breakEvenDecimalFields, 'percentile']);
