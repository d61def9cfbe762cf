import type { SubscribeOptions, Subscription } from '../event-log.js';
import type { ConsumerSettings } from './consumer-settings.js';
import { GroupMember } from './group-member.js';
import type { KafkaConnection } from './kafka-client.js';
import { faultOfKafka } from './kafka-faults.js';

/** The brokers are tried at least that often: each try takes a few seconds by itself. */
const REJOIN_DELAY_MAX_MS = 2_000;
/** A membership that lasted so long was a sound one. */
const SOUND_AFTER_MS = 10_000;

/** Stays a member of its group: a member that breaks is replaced once its running batches have ended. */
export class KafkaSubscription implements Subscription {
  private member: GroupMember;
  private readonly stop = new AbortController();
  private supervision: Promise<void> = Promise.resolve();
  private closing: Promise<void> | undefined;

  constructor(
    private readonly options: SubscribeOptions,
    private readonly settings: ConsumerSettings,
    private readonly connection: KafkaConnection,
  ) {
    this.member = this.newMember();
  }

  /** Throws a Fault when the first connection fails; later ones are tried again. */
  async start(): Promise<void> {
    try {
      await this.member.join();
    } catch (error) {
      throw faultOfKafka(error);
    }
    this.supervision = this.supervise();
  }

  close(): Promise<void> {
    this.closing ??= this.shutDown();
    return this.closing;
  }

  private async shutDown(): Promise<void> {
    this.stop.abort();
    await this.supervision;
    await this.member.leave();
  }

  private async supervise(): Promise<void> {
    const { signal } = this.stop;
    const stopped = new Promise<'stopped'>((resolve) => signal.addEventListener('abort', () => resolve('stopped'), { once: true }));
    let failures = 0;
    let broken: unknown = await Promise.race([stopped, this.member.broken]);
    while (!signal.aborted) {
      failures += 1;
      this.report(broken);
      // No two batches of one partition here: what the broken member left at work ends first.
      await this.member.leave();
      // Rejects only when it is stopped.
      await this.settings.clock.sleep(this.delayAfter(failures), signal).catch(() => undefined);
      if (signal.aborted) return;
      this.member = this.newMember();
      try {
        await this.member.join();
        const joinedMs = this.nowMs();
        broken = await Promise.race([stopped, this.member.broken]);
        if (this.nowMs() - joinedMs > SOUND_AFTER_MS) failures = 0;
      } catch (error) {
        broken = error;
      }
    }
  }

  private newMember(): GroupMember {
    return new GroupMember(this.options, this.settings, this.connection);
  }

  private report(error: unknown): void {
    this.settings.onError(faultOfKafka(error), { topic: this.options.topic, group: this.options.group });
  }

  private delayAfter(failures: number): number {
    return Math.min(this.settings.retryDelayMs * 2 ** (failures - 1), REJOIN_DELAY_MAX_MS);
  }

  private nowMs(): number {
    return this.settings.clock.now().epochMilliseconds;
  }
}
