/** A billing period of a subscription, or a part of one that a change cut. */
export interface PeriodKey {
  readonly subscriptionId: string;
  readonly periodIndex: number;
}
