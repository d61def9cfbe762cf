import { Counter, Gauge, Histogram, type Metric } from 'prom-client';
import type { DeadLetter } from '#persistence';
import type { Clock, LogBatch } from '#platform';
import { OrganizationLag } from './organization-lag.js';

/** What the aggregator tells Prometheus. */
export class AggregatorMetrics {
  readonly metrics: readonly Metric[];
  private readonly lag: OrganizationLag;
  private readonly freshness = new Histogram({
    name: 'tollway_usage_freshness_seconds', help: 'Time from the append of a batch\'s oldest event until it is counted.', buckets: [0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300], registers: [],
  });
  private readonly deadLetters = new Counter({ name: 'tollway_dead_letters_total', help: 'Dead letters kept, by kind.', labelNames: ['kind'], registers: [] });

  constructor(private readonly clock: Clock) {
    const lag = new OrganizationLag(clock);
    this.lag = lag;
    const byOrganization = new Gauge({
      name: 'tollway_usage_lag_seconds', help: 'Longest way from append to count in the last minutes: of the 20 organizations with the most events, and of all others together.', labelNames: ['organization'], registers: [],
      collect() {
        this.reset();
        for (const [organization, seconds] of lag.read()) this.set({ organization }, seconds);
      },
    });
    this.metrics = [this.freshness, this.deadLetters, byOrganization];
  }

  counted({ records }: LogBatch): void {
    const [oldest] = records;
    if (oldest === undefined) return;
    this.freshness.observe(Math.max(0, oldest.appendedAt.until(this.clock.now()).total('seconds')));
    this.lag.counted(records);
  }

  kept(letters: readonly DeadLetter[]): void {
    for (const { kind } of letters) this.deadLetters.inc({ kind });
  }
}
