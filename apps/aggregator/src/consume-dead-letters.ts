import { decodeDeadLetterRecord } from '#contracts';
import type { DeadLetter, DeadLetterChange, DeadLetterStore } from '#persistence';
import type { LogBatch, Logger } from '#platform';

/** Makes the dead letters of the log readable, and what became of them. Returns the letters. A record that can't be read is logged and left: there is no further place to put it. */
export class ConsumeDeadLetters {
  constructor(private readonly use: { readonly store: DeadLetterStore; readonly logger: Logger }) {}

  async execute(batch: LogBatch): Promise<readonly DeadLetter[]> {
    const letters: DeadLetter[] = [];
    const changes: DeadLetterChange[] = [];
    for (const { value, position } of batch.records) {
      try {
        const record = decodeDeadLetterRecord(value);
        if (record.kind === 'state') changes.push({ record, position });
        else letters.push(record);
      } catch (error) {
        this.use.logger.error({ err: error, partition: batch.partition, position: position.toString() }, 'A dead letter could not be read.');
      }
    }
    await this.use.store.insert(letters);
    await this.use.store.insertChanges(changes);
    return letters;
  }
}
