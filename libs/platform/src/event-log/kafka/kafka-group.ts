/**
 * The consumer group as Kafka knows it: one per topic. Kafka shares out all topics of a group among all of its members, whoever
 * reads which; and a member that comes or goes interrupts the readers of every topic.
 */
export function kafkaGroupOf({ group, topic }: { readonly group: string; readonly topic: string }): string {
  return `${group}.${topic}`;
}
