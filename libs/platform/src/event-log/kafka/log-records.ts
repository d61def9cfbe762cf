import type { KafkaMessage } from 'kafkajs';

import type { LogRecord } from '../event-log.js';

/** Records as the port has them. Whatever a foreign producer left without key or value counts as empty there. */
export function toLogRecords(messages: readonly KafkaMessage[]): LogRecord[] {
  let timestamp = '';
  let appendedAt = Temporal.Instant.fromEpochMilliseconds(0);
  return messages.map((message) => {
    // What was written together has one time.
    if (message.timestamp !== timestamp) {
      timestamp = message.timestamp;
      appendedAt = Temporal.Instant.fromEpochMilliseconds(Number(timestamp));
    }
    const [key, value] = [message.key?.toString('utf8') ?? '', message.value?.toString('utf8') ?? ''];
    return { position: BigInt(message.offset), key, value, appendedAt };
  });
}
