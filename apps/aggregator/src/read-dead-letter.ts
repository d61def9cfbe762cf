import { DeadLetterStore, type ClickHouse, type DeadLetter } from '#persistence';

/** Reads single dead letters, for whoever replays them; null where the organization has no such letter. */
export function readDeadLetterOf(clickhouse: ClickHouse): (key: { readonly organizationId: string; readonly deadLetterId: string }) => Promise<DeadLetter | null> {
  const store = new DeadLetterStore(clickhouse);
  return (key) => store.find(key.organizationId, key.deadLetterId);
}
