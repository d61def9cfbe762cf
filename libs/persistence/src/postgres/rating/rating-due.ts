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

export interface RatingMark {
  readonly organizationId: string;
  readonly subscriptionIds: readonly string[];
  readonly at: Temporal.Instant;
  /** The earliest usage that changed: closed periods that end after it are rated again. Left out where none is concerned. */
  readonly lateFrom?: Temporal.Instant;
}

/** Marks subscriptions whose usage changed. The generation only grows, so a rating that began before can not hide the change. */
export async function markRatingDue(manager: EntityManager, due: RatingMark): Promise<void> {
  if (due.subscriptionIds.length === 0) return;
  await manager.query(
    `insert into rating_due as due (organization_id, subscription_id, generation, first_marked_at, last_marked_at, late_from)
     select $1, id, 1, $3, $3, $4::timestamptz from unnest($2::text[]) as id order by id
     on conflict (subscription_id) do update set
       generation = due.generation + 1,
       late_from = least(due.late_from, excluded.late_from),
       first_marked_at = case when due.generation = due.rated_generation then excluded.first_marked_at else due.first_marked_at end,
       last_marked_at = excluded.last_marked_at`,
    [due.organizationId, due.subscriptionIds, due.at.toString(), due.lateFrom?.toString() ?? null],
  );
}

/** All closed periods of these subscriptions are rated with all that has changed: the caller holds them, and has seen that their generations are those which it rated. */
export async function forgetLateUsage(manager: EntityManager, subscriptionIds: readonly string[]): Promise<void> {
  if (subscriptionIds.length === 0) return;
  await manager.query(`update rating_due set late_from = null where subscription_id = any($1::text[]) and late_from is not null`, [subscriptionIds]);
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

/**
 * What rating does not know yet of a subscription: that it is there, was changed, has begun its next period, or that what grows with time
 * has grown. On system time a minute of growth is waited for, so that readers don't have the same rated again and again.
 */
const isUnadopted = `(due.subscription_id is null or due.revision < subscription.revision or due.open_until <= $2 or due.rated_until < $2::timestamptz - case
  when exists (select from test_clocks clock where clock.organization_id = subscription.organization_id and clock.now is not null) then interval '0' else interval '1 minute' end)`;

/** Those of the organization's subscriptions that are behind, with the generation that they are to reach: what rating has not noticed yet gets the next one. `now` is business time. */
export async function findStaleRatingsAmong(manager: EntityManager, wanted: { subscriptionIds: readonly string[]; now: Temporal.Instant }): Promise<readonly StaleRating[]> {
  const rows: DueRow[] = await manager.query(
    `select subscription.organization_id, subscription.id as subscription_id, coalesce(due.generation, 0) + case when ${isUnadopted} then 1 else 0 end as generation
     from subscriptions subscription left join rating_due due on due.subscription_id = subscription.id
     where subscription.id = any($1::text[]) and (${isUnadopted} or due.generation > due.rated_generation) order by subscription.id`,
    [wanted.subscriptionIds, wanted.now.toString()],
  );
  return rows.map(fromRow);
}

/** Whether all of them are rated at their generation or at a later one, as they are now. */
export async function hasReachedRatings(manager: EntityManager, wanted: { ratings: readonly StaleRating[]; now: Temporal.Instant }): Promise<boolean> {
  const rows: unknown[] = await manager.query(
    `select 1 from unnest($1::text[], $3::bigint[]) as awaited (subscription_id, generation)
     join subscriptions subscription on subscription.id = awaited.subscription_id
     left join rating_due due on due.subscription_id = subscription.id
     where ${isUnadopted} or due.rated_generation < awaited.generation limit 1`,
    [wanted.ratings.map(({ subscriptionId }) => subscriptionId), wanted.now.toString(), wanted.ratings.map(({ generation }) => generation.toString())],
  );
  return rows.length === 0;
}

/** The generations that a rating is about to cover, noted before it reads any usage. */
export async function readGenerations(manager: EntityManager, subscriptionIds: readonly string[]): Promise<ReadonlyMap<string, bigint>> {
  return generationsOf(await manager.query(`select subscription_id, generation from rating_due where subscription_id = any($1::text[])`, [subscriptionIds]));
}

/** The same of those that are behind only: what was rated meanwhile by another is left out. */
export async function readStaleGenerations(manager: EntityManager, subscriptionIds: readonly string[]): Promise<ReadonlyMap<string, bigint>> {
  return generationsOf(await manager.query(`select subscription_id, generation from rating_due where subscription_id = any($1::text[]) and generation > rated_generation`, [subscriptionIds]));
}

function generationsOf(rows: readonly Omit<DueRow, 'organization_id'>[]): ReadonlyMap<string, bigint> {
  return new Map(rows.map(({ subscription_id: id, generation }) => [id, BigInt(generation)]));
}

/** Where a subscription's ratings stand. */
export interface HeldMarks {
  readonly generation: bigint;
  readonly ratedGeneration: bigint;
  /** The earliest usage that changed since what is rated; null where none is known. */
  readonly lateFrom: Temporal.Instant | null;
}

/** The marks of subscriptions, held until the transaction ends. */
export async function holdMarks(manager: EntityManager, subscriptionIds: readonly string[]): Promise<ReadonlyMap<string, HeldMarks>> {
  const rows: { subscription_id: string; generation: string; rated_generation: string; late_from: string | null }[] = await manager.query(
    `select subscription_id, generation, rated_generation, late_from from rating_due where subscription_id = any($1::text[]) order by subscription_id for update`, [subscriptionIds]);
  return new Map(rows.map((row) => [
    row.subscription_id,
    { generation: BigInt(row.generation), ratedGeneration: BigInt(row.rated_generation), lateFrom: row.late_from === null ? null : Temporal.Instant.from(row.late_from) },
  ]));
}

export interface SettledRating {
  readonly subscriptionId: string;
  readonly generation: bigint;
  /** The end of the period that is open now; null where none follows. */
  readonly openUntil: Temporal.Instant | null;
  /** Business time of the rating where usage grows without events; null where none does. */
  readonly ratedUntil: Temporal.Instant | null;
}

/** Says which generation is rated now; what was marked in the meantime stays due. */
export async function settleRatings(manager: EntityManager, settled: readonly SettledRating[]): Promise<void> {
  if (settled.length === 0) return;
  await manager.query(
    `update rating_due due set
       rated_generation = greatest(due.rated_generation, rated.generation),
       open_until = rated.open_until,
       rated_until = rated.rated_until,
       -- What was marked in the meantime may be as early as what was marked before.
       late_from = case when due.generation > rated.generation then due.late_from end,
       first_marked_at = case when due.generation > rated.generation then due.last_marked_at else due.first_marked_at end
     from unnest($1::text[], $2::bigint[], $3::timestamptz[], $4::timestamptz[]) as rated (subscription_id, generation, open_until, rated_until)
     where due.subscription_id = rated.subscription_id`,
    [
      settled.map(({ subscriptionId }) => subscriptionId),
      settled.map(({ generation }) => generation.toString()),
      settled.map(({ openUntil }) => openUntil?.toString() ?? null),
      settled.map(({ ratedUntil }) => ratedUntil?.toString() ?? null),
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
