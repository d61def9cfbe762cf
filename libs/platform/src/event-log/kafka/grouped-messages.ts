/** A record as kafkajs takes it. */
export interface PlacedMessage {
  readonly key: string;
  readonly value: string;
  readonly partition: number;
}

/**
 * The messages of one produce request, which are in groups by their partition already. kafkajs 2.2.4 makes these groups by one `reduce`,
 * and copies a group for each message that it adds to it: with some hundred messages a partition that took more time than encoding
 * them, and left a kilobyte of garbage for each. The one `reduce` of a request's messages is this, and its spec holds it against kafkajs' own.
 */
export class GroupedMessages extends Array<PlacedMessage> {
  /** What is made of the messages is a plain array. */
  static override get [Symbol.species](): ArrayConstructor {
    return Array;
  }

  private readonly groups: Record<number, PlacedMessage[]> = {};

  add(message: PlacedMessage): void {
    this.push(message);
    (this.groups[message.partition] ??= []).push(message);
  }

  override reduce<Groups>(): Groups {
    return this.groups as Groups;
  }
}
