import type { ClientConfig } from 'pg';

import type { Clock } from '../clock/clock.js';
import type { SubscribeOptions, Subscription } from './event-log.js';
import { faultOfPostgres } from './postgres-faults.js';
import { GroupSession } from './postgres-group-session.js';
import type { Lease } from './postgres-group-session.js';
import type { Topic } from './postgres-topics.js';

export interface ConsumerSettings {
  readonly clock: Clock;
  /** How long an idle member waits before it looks again. An append in the same process wakes it at once. */
  readonly pollIntervalMs: number;
  /** How often a member looks for partitions that became free or that it owes to others. */
  readonly claimIntervalMs: number;
  /** The first wait after a failure; it doubles up to `retryDelayMaxMs`. */
  readonly retryDelayMs: number;
  readonly retryDelayMaxMs: number;
  /** How many partitions of one subscription are handled at the same time. */
  readonly concurrencyMax: number;
  /** A batch ends before it grows above this; its first record comes whatever its size. */
  readonly batchBytesMax: number;
  readonly onError: (error: unknown, where: { readonly topic: string; readonly group: string; readonly partition?: number }) => void;
}

interface Failing {
  readonly failures: number;
  readonly retryAtMs: number;
}

/** One member of a group: claims its share of the partitions, polls them and hands their batches on, in order per partition. */
export class PostgresSubscription implements Subscription {
  private readonly connection: ClientConfig;
  private readonly settings: ConsumerSettings;
  private session: GroupSession | undefined;
  /** Batches at work by partition. They may outlive the session that they were read by. */
  private readonly running = new Map<number, Promise<void>>();
  private readonly failing = new Map<number, Failing>();
  /** Partitions known to have more, in the order in which they are served. */
  private readonly ready = new Set<number>();
  /** Partitions that are owed to other members, as soon as their batch is committed. */
  private readonly leaving = new Set<number>();
  private claimAtMs = 0;
  private closing: Promise<void> | undefined;
  private loop: Promise<void> = Promise.resolve();
  private pause = new AbortController();

  constructor(
    private readonly topic: Topic,
    private readonly options: SubscribeOptions,
    { connection, settings }: { readonly connection: ClientConfig; readonly settings: ConsumerSettings },
  ) {
    this.connection = connection;
    this.settings = settings;
  }

  /** Throws a Fault when the first connection fails; later ones are tried again. */
  async start(): Promise<void> {
    try {
      await this.connect();
    } catch (error) {
      throw faultOfPostgres(error);
    }
    this.loop = this.run();
  }

  /** Looks for news now instead of after the polling interval. */
  wake(): void {
    this.pause.abort();
  }

  close(): Promise<void> {
    this.closing ??= this.drain();
    return this.closing;
  }

  private async drain(): Promise<void> {
    this.wake();
    await this.loop;
    await Promise.all(this.running.values());
    await this.session?.close();
  }

  private async run(): Promise<void> {
    let failures = 0;
    while (this.closing === undefined) {
      // Made before the look: a wake-up that comes during it ends the pause after it.
      this.pause = new AbortController();
      try {
        await this.look();
        failures = 0;
        await this.wait(this.settings.pollIntervalMs);
      } catch (error) {
        failures += 1;
        this.dropSession();
        this.settings.onError(error, { topic: this.topic.name, group: this.options.group });
        await this.wait(this.delayAfter(failures));
      }
    }
  }

  private async wait(durationMs: number): Promise<void> {
    // Rejects only when it is woken.
    if (this.closing === undefined) await this.settings.clock.sleep(durationMs, this.pause.signal).catch(() => undefined);
  }

  private async look(): Promise<void> {
    if (this.session === undefined || this.session.over) {
      this.dropSession();
      // What a broken session left at work ends first. Meanwhile others have the partitions: no two batches of one here.
      await Promise.all(this.running.values());
      if (this.closing !== undefined) return;
    }
    const session = this.session ?? (await this.connect());
    if (this.nowMs() >= this.claimAtMs || [...this.leaving].some((partition) => !this.running.has(partition))) await this.balance(session);
    const idle = [...session.leases.values()].filter(({ partition }) => !this.running.has(partition) && !this.ready.has(partition));
    for (const { partition } of await session.withNews(idle)) this.ready.add(partition);
    this.serve(session);
  }

  private async connect(): Promise<GroupSession> {
    const session = await GroupSession.open({ topic: this.topic, group: this.options.group }, this.connection);
    this.session = session;
    this.claimAtMs = 0;
    return session;
  }

  private dropSession(): void {
    this.session?.abandon();
    this.session = undefined;
    this.ready.clear();
    this.leaving.clear();
  }

  /** Gives back what is above this member's share and claims what is free below it. */
  private async balance(session: GroupSession): Promise<void> {
    const share = await session.share();
    this.leaving.clear();
    await this.giveBack(session, session.leases.size - share);
    for (let partition = 0; partition < this.topic.partitions && session.leases.size < share; partition += 1) {
      if (!session.leases.has(partition)) await session.claim(partition);
    }
    await session.touch();
    this.claimAtMs = this.nowMs() + this.settings.claimIntervalMs;
  }

  private async giveBack(session: GroupSession, surplus: number): Promise<void> {
    if (surplus <= 0) return;
    const idleFirst = [...session.leases.values()].sort((a, b) => Number(this.running.has(a.partition)) - Number(this.running.has(b.partition)));
    for (const lease of idleFirst.slice(0, surplus)) {
      if (this.running.has(lease.partition)) {
        this.leaving.add(lease.partition);
      } else {
        this.ready.delete(lease.partition);
        await session.release(lease);
      }
    }
  }

  private serve(session: GroupSession): void {
    for (const partition of this.ready) {
      if (this.running.size >= this.settings.concurrencyMax || this.closing !== undefined) return;
      const lease = session.leases.get(partition);
      if (lease === undefined || this.leaving.has(partition) || (this.failing.get(partition)?.retryAtMs ?? 0) > this.nowMs()) continue;
      this.ready.delete(partition);
      const batch = this.consume(session, lease).finally(() => {
        this.running.delete(partition);
        this.wake();
      });
      this.running.set(partition, batch);
    }
  }

  private async consume(session: GroupSession, lease: Lease): Promise<void> {
    const { topic, group, batchSizeMax, handle } = this.options;
    const { partition } = lease;
    try {
      const records = await session.read(lease, { recordsMax: batchSizeMax, bytesMax: this.settings.batchBytesMax });
      const last = records.at(-1);
      if (last === undefined) return;
      if (!(await this.handled(() => handle({ topic, partition, records }), partition))) {
        this.ready.add(partition);
        return;
      }
      await session.commit(lease, last);
      if (records.length === batchSizeMax) this.ready.add(partition); // At the end of the queue, so that all have their turn.
    } catch (error) {
      this.settings.onError(error, { topic, group, partition });
      session.abandon();
    }
  }

  private async handled(handle: () => Promise<void>, partition: number): Promise<boolean> {
    try {
      await handle();
      this.failing.delete(partition);
      return true;
    } catch (error) {
      const failures = (this.failing.get(partition)?.failures ?? 0) + 1;
      this.failing.set(partition, { failures, retryAtMs: this.nowMs() + this.delayAfter(failures) });
      this.settings.onError(error, { topic: this.topic.name, group: this.options.group, partition });
      return false;
    }
  }

  private delayAfter(failures: number): number {
    return Math.min(this.settings.retryDelayMs * 2 ** (failures - 1), this.settings.retryDelayMaxMs);
  }

  private nowMs(): number {
    return this.settings.clock.now().epochMilliseconds;
  }
}
