import type { EntityManager } from 'typeorm';
import type { ClientBase } from 'pg';
import { assert } from '#platform';

export interface PreparedStatement {
  /** One text for each name, for ever: the server knows the statement by its name alone. */
  readonly name: string;
  /** Names the columns that it gives: were they `*`, a migration would break it on connections that are open. */
  readonly text: string;
  readonly values: readonly unknown[];
}

/**
 * Runs a statement that the server takes apart and plans once for each connection instead of at each call. For short statements that
 * are asked all the time, where that is most of what they cost; for others, whose plan depends on their values, `manager.query` is right.
 */
export async function preparedQuery<Row>(manager: EntityManager, { name, text, values }: PreparedStatement): Promise<Row[]> {
  assert(manager.queryRunner !== undefined, 'A prepared statement runs in a transaction.');
  const client = (await manager.queryRunner.connect()) as ClientBase;
  return (await client.query({ name, text, values: [...values] })).rows as Row[];
}
