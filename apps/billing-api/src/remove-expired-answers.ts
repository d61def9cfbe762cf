import type { PostgresIdempotencyStore } from '#persistence';
import type { Logger } from '#platform';

const everyMs = 600_000;
const roundsMax = 100;

/** Removes answers to idempotency keys whose day is over, while the app runs. Several processes at once do no harm. */
export class RemoveExpiredAnswers {
  private timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly store: Pick<PostgresIdempotencyStore, 'removeExpired'>,
    private readonly logger: Logger,
  ) {}

  async execute(): Promise<number> {
    let removed = 0;
    for (let round = 0; round < roundsMax; round += 1) {
      const count = await this.store.removeExpired();
      removed += count;
      if (count === 0) break;
    }
    return removed;
  }

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => {
      this.execute().catch((error: unknown) => this.logger.warn({ err: error }, 'Expired answers could not be removed.'));
    }, everyMs);
    this.timer.unref();
  }

  beforeApplicationShutdown(): void {
    if (this.timer !== null) clearInterval(this.timer);
  }
}
