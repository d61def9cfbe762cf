import { AssignerProtocol, Kafka, logLevel, type Admin } from 'kafkajs';
import { letQueuesRest } from '#platform';
import { until } from './running-product.ts';

/** Who reads a topic in a consumer group, as the broker knows it. */
export class GroupShares {
  private readonly admin: Admin;
  private readonly group: string;
  private readonly topic: string;

  private constructor(admin: Admin, { group, topic }: { readonly group: string; readonly topic: string }) {
    this.admin = admin;
    this.group = group;
    this.topic = topic;
  }

  /** `group` as Kafka names it. */
  static async open(broker: string, of: { readonly group: string; readonly topic: string }): Promise<GroupShares> {
    letQueuesRest();
    const admin = new Kafka({ brokers: [broker], clientId: 'bench-admin', logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    return new GroupShares(admin, of);
  }

  /** Resolves when the members hold so many partitions each, and nothing is being moved. */
  async become(counts: readonly number[]): Promise<void> {
    const wanted = counts.toSorted((a, b) => a - b).join(' ');
    await until(`partitions are shared as ${wanted}`, async () => (await this.read()) === wanted, { everyMs: 100 });
  }

  /** How many partitions each member holds, from the least; "moving" while they are shared out anew. */
  async read(): Promise<string> {
    const { groups } = await this.admin.describeGroups([this.group]);
    const [group] = groups;
    if (group?.state !== 'Stable') return 'moving';
    const counts = group.members.map(({ memberAssignment }) => AssignerProtocol.MemberAssignment.decode(memberAssignment)?.assignment[this.topic]?.length ?? 0);
    return counts.toSorted((a, b) => a - b).join(' ');
  }

  close(): Promise<void> {
    return this.admin.disconnect();
  }
}
