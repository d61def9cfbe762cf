import type { CatalogRefusal } from '../catalog-items.js';

export const catalogStatuses: Readonly<Record<CatalogRefusal, number>> = {
  not_found: 404,
  key_taken: 409,
  key_mismatch: 422,
  invalid_request: 422,
  definition_fixed: 409,
  dimension_in_use: 409,
  billed_period: 409,
  too_many_versions: 409,
  in_use: 409,
};
