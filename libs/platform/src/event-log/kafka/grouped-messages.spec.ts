import { createRequire } from 'node:module';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GroupedMessages, type PlacedMessage } from './grouped-messages.js';

// Goal: kafkajs finds the same messages in the same groups as if it had made them itself. Method: its own function, the file that a
// producer requires, is given random messages as a plain array and as one with its groups.

type Group = (given: { topic: string; partitionMetadata: readonly unknown[]; messages: readonly PlacedMessage[]; partitioner: (of: { message: PlacedMessage }) => number }) => unknown;

const group = createRequire(import.meta.url)('kafkajs/src/producer/groupMessagesPerPartition') as Group;
const messages = fc.array(fc.record({ key: fc.string(), value: fc.string(), partition: fc.nat({ max: 7 }) }), { maxLength: 50 });

function groupedBy(given: readonly PlacedMessage[]): unknown {
  return group({ topic: 'usage', partitionMetadata: [{}], messages: given, partitioner: ({ message }) => message.partition });
}

function placed(given: readonly PlacedMessage[]): GroupedMessages {
  const grouped = new GroupedMessages();
  for (const message of given) grouped.add(message);
  return grouped;
}

describe('messages of a produce request', () => {
  it('are grouped as kafkajs groups them, in their order, and again for another try', () => {
    fc.assert(fc.property(messages, (given) => {
      const grouped = placed(given);
      expect([...grouped]).toEqual(given);
      expect(groupedBy(grouped)).toEqual(groupedBy(given));
      expect(groupedBy(grouped)).toEqual(groupedBy(given));
    }));
  });

  it('are a plain array once they are mapped or filtered', () => {
    const mapped = placed([{ key: 'k', value: 'v', partition: 3 }]).map(({ partition }) => partition);
    expect([mapped.constructor, mapped.reduce((sum, partition) => sum + partition, 0)]).toEqual([Array, 3]);
  });
});
