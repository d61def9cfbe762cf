import type { PlanDraftRefusal } from '../plan-drafts.js';
import type { PlanRefusal } from '../plans.js';

export const planStatuses: Readonly<Record<PlanRefusal | PlanDraftRefusal, number>> = {
  not_found: 404,
  key_taken: 409,
  key_mismatch: 422,
  no_draft: 409,
  not_published: 409,
  invalid_request: 422,
};
