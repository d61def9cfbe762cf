import type { EntityManager } from 'typeorm';

/** The subscriptions in the caller's organization whose usage these subjects may have changed; null stands for every subject. */
export async function findAffectedSubscriptions(manager: EntityManager, change: { subjects: readonly string[] | null; earliest: Temporal.Instant }): Promise<readonly string[]> {
  const rows: { id: string }[] = await manager.query(
    `select id from subscriptions
     where (cancel_at is null or cancel_at > $2)
       and ($1::text[] is null or customer_id in (select customer_id from customer_subjects where subject = any($1::text[]) and (to_at is null or to_at > $2)))`,
    [change.subjects, change.earliest.toString()],
  );
  return rows.map(({ id }) => id);
}

export interface AdoptOptions {
  readonly now: Temporal.Instant;
  readonly limit: number;
  readonly subscriptionIds?: readonly string[];
  /** Whether somebody is about to read: then what grows with time is to be as of now, on system time as of a minute ago; else as of an hour ago. */
  readonly isRead: boolean;
}

/**
 * Marks subscriptions that are new or were changed (they or whose usage is theirs, so that their closed periods are looked at too), those whose open period has ended in business time, so that the
 * next one is rated without waiting for usage, and those whose usage has grown with time alone: those of the caller's organization, or across organizations; all, or those
 * with these ids. Returns how many were marked, at most `limit`.
 */
export async function adoptSubscriptions(manager: EntityManager, options: AdoptOptions): Promise<number> {
  const rows: unknown[] = await manager.query(
    `insert into rating_due as due (organization_id, subscription_id, generation, revision, first_marked_at, last_marked_at, late_from)
     select subscription.organization_id, subscription.id, 1, subscription.revision, $1, $1,
       case when subscription.revision > coalesce(known.revision, 0) then subscription.start_at end
     from subscriptions subscription
     left join rating_due known on known.subscription_id = subscription.id
     left join test_clocks clock on clock.organization_id = subscription.organization_id
     where (known.subscription_id is null or subscription.revision > known.revision or known.open_until <= coalesce(clock.now, $1)
         or known.rated_until < coalesce(clock.now - $5::interval, $1::timestamptz - $4::interval))
       and ($3::text[] is null or subscription.id = any($3::text[]))
     order by subscription.id limit $2
     on conflict (subscription_id) do update set
       generation = due.generation + 1,
       revision = excluded.revision,
       open_until = null,
       rated_until = null,
       late_from = least(due.late_from, excluded.late_from),
       first_marked_at = case when due.generation = due.rated_generation then excluded.first_marked_at else due.first_marked_at end,
       last_marked_at = excluded.last_marked_at
     returning subscription_id`,
    [options.now.toString(), options.limit, options.subscriptionIds ?? null, ...(options.isRead ? ['1 minute', '0'] : ['1 hour', '1 hour'])],
  );
  return rows.length;
}
