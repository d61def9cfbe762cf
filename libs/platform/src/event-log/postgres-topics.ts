import type { Pool } from 'pg';

import { assert } from '../errors/assert.js';
import { Fault } from '../errors/fault.js';
import { faultOfPostgres } from './postgres-faults.js';

const PARTITIONS_MAX = 1024;

export interface Topic {
  readonly id: number;
  readonly name: string;
  readonly partitions: number;
}

/** The topics of the log. Their ids and partition counts never change, so each is read once. */
export class PostgresTopics {
  private readonly known = new Map<string, Topic>();

  constructor(private readonly pool: Pool) {}

  /** Throws a retryable Fault where the topic does not exist (yet). */
  async find(name: string): Promise<Topic> {
    const topic = this.known.get(name) ?? (await this.load(name));
    if (topic === undefined) {
      throw new Fault({ code: 'topic_unknown', detail: `The event log has no topic '${name}'.`, retryable: true });
    }
    return topic;
  }

  async ensure(wanted: { readonly name: string; readonly partitions: number }): Promise<void> {
    assert(wanted.name.length > 0, 'A topic needs a name.');
    assert(
      Number.isInteger(wanted.partitions) && wanted.partitions >= 1 && wanted.partitions <= PARTITIONS_MAX,
      `A topic has between 1 and ${PARTITIONS_MAX} partitions.`,
    );
    // Looked up first, so that a role that may only read can ensure a topic that exists.
    if ((await this.load(wanted.name)) !== undefined) return;
    // Topic and partitions in one statement: nobody ever sees the one without the others.
    const sql = `
      WITH created AS (
        INSERT INTO event_log.topics (name, partitions) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING RETURNING id, partitions)
      INSERT INTO event_log.partitions (topic_id, partition) SELECT id, generate_series(0, partitions - 1) FROM created`;
    await this.pool.query(sql, [wanted.name, wanted.partitions]).catch((error: unknown) => {
      throw faultOfPostgres(error);
    });
  }

  private async load(name: string): Promise<Topic | undefined> {
    const { rows } = await this.pool
      .query<Topic>('SELECT id, name, partitions FROM event_log.topics WHERE name = $1', [name])
      .catch((error: unknown) => {
        throw faultOfPostgres(error);
      });
    const topic = rows[0];
    if (topic !== undefined) this.known.set(name, topic);
    return topic;
  }
}
