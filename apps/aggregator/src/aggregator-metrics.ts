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
  private readonly rollupChecks = new Counter({ name: 'tollway_rollup_checks_total', help: 'Daily comparisons of a meter\'s rollups with its events.', registers: [] });
  private readonly rollupDifferences = new Counter({ name: 'tollway_rollup_differences_total', help: 'Hours of a subject and group in which they differed.', registers: [] });
  private readonly lastRollupCheck = new Gauge({ name: 'tollway_rollup_last_check_timestamp_seconds', help: 'When this process made the last such comparison, in seconds since 1970; 0 before the first.', registers: [] });

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
    this.metrics = [this.freshness, this.deadLetters, byOrganization, this.rollupChecks, this.rollupDifferences, this.lastRollupCheck];
  }

  counted({ records }: LogBatch): void {
    const [oldest] = records;
    if (oldest === undefined) return;
    this.freshness.observe(Math.max(0, oldest.appendedAt.until(this.clock.now()).total('seconds')));
    this.lag.counted(records);
  }

  /** A meter's rollups were compared with its events. */
  compared(differences: number): void {
    this.rollupChecks.inc();
    this.rollupDifferences.inc(differences);
    this.lastRollupCheck.set(Math.floor(this.clock.now().epochMilliseconds / 1_000));
  }

  kept(letters: readonly DeadLetter[]): void {
    for (const { kind } of letters) this.deadLetters.inc({ kind });
  }
}
