import { Counter, Gauge, type Metric } from 'prom-client';
import { readInvoicingBacklog, type Database, type InvoicingBacklog } from '#persistence';
import type { Clock } from '#platform';

/** How a call to the payment provider ended. */
export type PushOutcomeName = 'done' | 'refused' | 'unknown' | 'retry_later' | 'failed';

const cacheMs = 500;

/** What invoicing tells Prometheus. Backlogs are those of all processes together, read when they are asked for. */
export class InvoicingMetrics {
  readonly metrics: readonly Metric[];
  private readonly pushes = new Counter({ name: 'tollway_payment_pushes_total', help: 'Calls to payment providers, by how they ended.', labelNames: ['outcome'], registers: [] });
  private last: { readonly atMs: number; readonly answer: Promise<InvoicingBacklog | null> } | null = null;

  constructor(private readonly use: { readonly database: Database; readonly clock: Clock }) {
    const secondsSince = (since: Temporal.Instant | null): number => (since === null ? 0 : Math.max(0, since.until(use.clock.now()).total('seconds')));
    this.metrics = [
      this.pushes,
      this.gauge({ name: 'tollway_invoices_waiting_for_usage', help: 'Ended periods whose last usage is not counted and rated yet.', valueOf: ({ waitingForUsage }) => waitingForUsage.count }),
      this.gauge({ name: 'tollway_invoices_waiting_for_usage_seconds', help: 'How long the oldest of them has been waiting.', valueOf: ({ waitingForUsage }) => secondsSince(waitingForUsage.since) }),
      this.gauge({ name: 'tollway_payment_outbox', help: 'Entries that payment providers have still to be told.', valueOf: ({ outbox }) => outbox.count }),
      this.gauge({ name: 'tollway_payment_outbox_seconds', help: 'Age of the oldest of them.', valueOf: ({ outbox }) => secondsSince(outbox.since) }),
    ];
  }

  pushed(outcome: PushOutcomeName): void {
    this.pushes.inc({ outcome });
  }

  private gauge({ name, help, valueOf }: { readonly name: string; readonly help: string; readonly valueOf: (backlog: InvoicingBacklog) => number }): Gauge {
    const read = (): Promise<InvoicingBacklog | null> => this.read();
    return new Gauge({
      name, help, registers: [],
      async collect() {
        const backlog = await read();
        if (backlog === null) this.remove();
        else this.set(valueOf(backlog));
      },
    });
  }

  /** Null where Postgres does not answer: then nothing is said, rather than that nothing waits. */
  private read(): Promise<InvoicingBacklog | null> {
    const { database, clock } = this.use;
    const nowMs = clock.now().epochMilliseconds;
    if (this.last === null || Math.abs(nowMs - this.last.atMs) > cacheMs) {
      this.last = { atMs: nowMs, answer: database.acrossOrganizations(readInvoicingBacklog).catch(() => null) };
    }
    return this.last.answer;
  }
}
