import { decodeDeadLetterRecord } from '#contracts';
import type { DeadLetter, DeadLetterStore } from '#persistence';
import type { LogBatch, Logger } from '#platform';

/** Makes the dead letters of the log readable, and returns them. One that can't be read is logged and left: there is no further place to put it. */
export class ConsumeDeadLetters {
  constructor(private readonly use: { readonly store: DeadLetterStore; readonly logger: Logger }) {}

  async execute(batch: LogBatch): Promise<readonly DeadLetter[]> {
    const letters = batch.records.flatMap((record): DeadLetter[] => {
      try {
        return [decodeDeadLetterRecord(record.value)];
      } catch (error) {
        this.use.logger.error({ err: error, partition: batch.partition, position: record.position.toString() }, 'A dead letter could not be read.');
        return [];
      }
    });
    await this.use.store.insert(letters);
    return letters;
  }
}
