import { ratingGroup, topics } from '#contracts';
import type { Clock, EventLog } from '#platform';

const pollMs = 20;
const waitMaxMs = 2_000;

/** Waits until rating has marked whose usage changed. What is counted has been announced before. */
export class AwaitUsageChanges {
  constructor(private readonly use: { readonly log: EventLog; readonly clock: Clock }) {}

  /** True once all is marked that was announced before the call; false where that takes too long. */
  async execute(): Promise<boolean> {
    const { log, clock } = this.use;
    const announcedBefore = clock.now();
    const deadline = announcedBefore.add({ milliseconds: waitMaxMs });
    for (;;) {
      const markedAsOf = await log.completeAsOf({ topic: topics.usageChanged, group: ratingGroup });
      if (Temporal.Instant.compare(markedAsOf, announcedBefore) >= 0) return true;
      if (Temporal.Instant.compare(clock.now(), deadline) >= 0) return false;
      await clock.sleep(pollMs);
    }
  }
}
