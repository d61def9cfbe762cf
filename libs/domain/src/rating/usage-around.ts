import type { Decimal } from '../money/decimal.js';
import type { TierCount } from './count-tiers.js';
import type { PreviousPeriod } from './roll-over.js';

/** What a period's own usage doesn't say, for the steps of a price that look further. */
export interface UsageAround {
  /** The period before, where its unused units roll over into this one. */
  readonly previous?: PreviousPeriod | undefined;
  /** How the tiers count on over the periods of invoices; left out, each begins anew. */
  readonly tierCount?: TierCount | undefined;
  /** What the meter of a service level agreement came to; null, or left out, where nothing was measured. */
  readonly slaValue?: Decimal | null | undefined;
}
