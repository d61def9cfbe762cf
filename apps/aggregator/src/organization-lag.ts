import type { Clock, LogRecord } from '#platform';

/** The name under which all organizations but those with the most events are seen. */
export const otherOrganizations = 'other';

/** How many organizations have a name of their own: a label each costs Prometheus a series each. */
const namedMax = 20;
/** Organizations looked at within one window; more of them are seen together. */
const knownMax = 10_000;
const windowMs = 60_000;
const slash = 47;

interface Usage {
  events: number;
  lagMs: number;
}

/**
 * How long events of each organization took from the log to being counted: the longest of the last one to two minutes. A batch has
 * its oldest events in front, so one look per organization and batch tells it. Names are kept for those with the most events.
 */
export class OrganizationLag {
  private window = new Map<string, Usage>();
  private before = new Map<string, Usage>();
  private windowFromMs: number;

  constructor(private readonly clock: Clock) {
    this.windowFromMs = this.nowMs();
  }

  /** Once a batch is counted. Its keys begin with the organization. */
  counted(records: readonly LogRecord[]): void {
    this.turn();
    const nowMs = this.nowMs();
    let [name, at, lagMs]: [string, Temporal.Instant | null, number] = ['', null, 0];
    for (const { key, appendedAt } of records) {
      // Neighbours mostly share both.
      if (!(key.startsWith(name) && key.charCodeAt(name.length) === slash)) name = key.slice(0, Math.max(0, key.indexOf('/')));
      if (appendedAt !== at) [at, lagMs] = [appendedAt, Math.max(0, nowMs - appendedAt.epochMilliseconds)];
      const known = this.window.get(name);
      if (known === undefined) this.add(name, { events: 1, lagMs });
      else {
        known.events += 1;
        if (lagMs > known.lagMs) known.lagMs = lagMs;
      }
    }
  }

  /** In seconds: the organizations with the most events by their ids, the longest of all others together. */
  read(): ReadonlyMap<string, number> {
    this.turn();
    const all = new Map<string, Usage>();
    for (const [name, { events, lagMs }] of [...this.before, ...this.window]) {
      const known = all.get(name);
      all.set(name, { events: events + (known?.events ?? 0), lagMs: Math.max(lagMs, known?.lagMs ?? 0) });
    }
    const sorted = [...all].sort(([, a], [, b]) => b.events - a.events);
    const named = sorted.filter(([name]) => name !== otherOrganizations).slice(0, namedMax);
    const others = sorted.filter((entry) => !named.includes(entry)).map(([, { lagMs }]) => lagMs);
    const seconds = new Map(named.map(([name, { lagMs }]) => [name, lagMs / 1_000]));
    return others.length === 0 ? seconds : seconds.set(otherOrganizations, Math.max(...others) / 1_000);
  }

  private add(name: string, usage: Usage): void {
    const entry = this.window.size < knownMax ? name : otherOrganizations;
    const known = this.window.get(entry);
    this.window.set(entry, { events: usage.events + (known?.events ?? 0), lagMs: Math.max(usage.lagMs, known?.lagMs ?? 0) });
  }

  private turn(): void {
    const passedMs = this.nowMs() - this.windowFromMs;
    if (passedMs < windowMs) return;
    this.before = passedMs < 2 * windowMs ? this.window : new Map();
    this.window = new Map();
    this.windowFromMs = this.nowMs();
  }

  private nowMs(): number {
    return this.clock.now().epochMilliseconds;
  }
}
