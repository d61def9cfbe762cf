import type { EntityManager } from 'typeorm';

/** A subscription whose open period is to be rated again. */
export interface StaleRating {
  readonly organizationId: string;
  readonly subscriptionId: string;
  readonly generation: bigint;
}

export interface RatingPatience {
  /** Rate when nothing changed for this long … */
  readonly quietMs: number;
  /** … or when the first unrated change is this old. */
  readonly waitMaxMs: number;
}

interface DueRow {
  organization_id: string;
  subscription_id: string;
  generation: string;
}

function fromRow(row: DueRow): StaleRating {
  return { organizationId: row.organization_id, subscriptionId: row.subscription_id, generation: BigInt(row.generation) };
}

/** Marks subscriptions whose usage changed. The generation only grows, so a rating that began before can not hide the change. */
export async function markRatingDue(manager: EntityManager, due: { organizationId: string; subscriptionIds: readonly string[]; at: Temporal.Instant }): Promise<void> {
  if (due.subscriptionIds.length === 0) return;
  await manager.query(
    `insert into rating_due as due (organization_id, subscription_id, generation, first_marked_at, last_marked_at)
     select $1, id, 1, $3, $3 from unnest($2::text[]) as id order by id
     on conflict (subscription_id) do update set
       generation = due.generation + 1,
       first_marked_at = case when due.generation = due.rated_generation then excluded.first_marked_at else due.first_marked_at end,
       last_marked_at = excluded.last_marked_at`,
    [due.organizationId, due.subscriptionIds, due.at.toString()],
  );
}

/** Across organizations: what has waited long enough, the longest first. */
export async function findStaleRatings(manager: EntityManager, options: RatingPatience & { now: Temporal.Instant; limit: number }): Promise<readonly StaleRating[]> {
  const rows: DueRow[] = await manager.query(
    `select organization_id, subscription_id, generation from rating_due
     where generation > rated_generation and (last_marked_at <= $1 or first_marked_at <= $2)
     order by first_marked_at limit $3`,
    [options.now.subtract({ milliseconds: options.quietMs }).toString(), options.now.subtract({ milliseconds: options.waitMaxMs }).toString(), options.limit],
  );
  return rows.map(fromRow);
}

/** All of one organization that are behind, whatever their age: a reader is waiting for them. */
export async function findStaleRatingsOf(manager: EntityManager, organizationId: string, limit: number): Promise<readonly StaleRating[]> {
  const rows: DueRow[] = await manager.query(
    `select organization_id, subscription_id, generation from rating_due
     where organization_id = $1 and generation > rated_generation order by subscription_id limit $2`,
    [organizationId, limit],
  );
  return rows.map(fromRow);
}

/** Those of the organization's subscriptions that are behind, with the generation that they are to reach. */
export async function findStaleRatingsAmong(manager: EntityManager, subscriptionIds: readonly string[]): Promise<readonly StaleRating[]> {
  const rows: DueRow[] = await manager.query(
    `select organization_id, subscription_id, generation from rating_due where subscription_id = any($1::text[]) and generation > rated_generation order by subscription_id`,
    [subscriptionIds],
  );
  return rows.map(fromRow);
}

/** Whether all of them are rated at their generation, or at a later one. */
export async function hasReachedRatings(manager: EntityManager, awaited: readonly StaleRating[]): Promise<boolean> {
  const rows: unknown[] = await manager.query(
    `select 1 from rating_due due join unnest($1::text[], $2::bigint[]) as awaited (subscription_id, generation) using (subscription_id)
     where due.rated_generation < awaited.generation limit 1`,
    [awaited.map(({ subscriptionId }) => subscriptionId), awaited.map(({ generation }) => generation.toString())],
  );
  return rows.length === 0;
}

/** The generations that a rating is about to cover, noted before it reads any usage. */
export async function readGenerations(manager: EntityManager, subscriptionIds: readonly string[]): Promise<ReadonlyMap<string, bigint>> {
  const rows: DueRow[] = await manager.query(
    `select organization_id, subscription_id, generation from rating_due where subscription_id = any($1::text[])`,
    [subscriptionIds],
  );
  return new Map(rows.map((row) => [row.subscription_id, BigInt(row.generation)]));
}

export interface SettledRating {
  readonly subscriptionId: string;
  readonly generation: bigint;
  /** The end of the period that is open now; null where none follows. */
  readonly openUntil: Temporal.Instant | null;
}

/** Says which generation is rated now; what was marked in the meantime stays due. */
export async function settleRatings(manager: EntityManager, settled: readonly SettledRating[]): Promise<void> {
  if (settled.length === 0) return;
  await manager.query(
    `update rating_due due set
       rated_generation = greatest(due.rated_generation, rated.generation),
       open_until = rated.open_until,
       first_marked_at = case when due.generation > rated.generation then due.last_marked_at else due.first_marked_at end
     from unnest($1::text[], $2::bigint[], $3::timestamptz[]) as rated (subscription_id, generation, open_until)
     where due.subscription_id = rated.subscription_id`,
    [
      settled.map(({ subscriptionId }) => subscriptionId),
      settled.map(({ generation }) => generation.toString()),
      settled.map(({ openUntil }) => openUntil?.toString() ?? null),
    ],
  );
}

/** The least complete open period of the organization; null where none is rated yet. */
export async function readOldestOpenRating(manager: EntityManager, organizationId: string): Promise<Temporal.Instant | null> {
  const rows: { complete_as_of: string | null }[] = await manager.query(
    'select min(complete_as_of) as complete_as_of from rated_periods where organization_id = $1 and not is_final', [organizationId],
  );
  const text = rows[0]?.complete_as_of ?? null;
  return text === null ? null : Temporal.Instant.from(text);
}
