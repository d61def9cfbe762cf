import type { EntityManager } from 'typeorm';

export const ratedUsageGroups = ['customer', 'plan', 'price', 'day'] as const;

export type RatedUsageGroup = (typeof ratedUsageGroups)[number];

export interface RatedUsageQuery {
  /** A day belongs to the report where its start, in the customer's zone, lies in [from, to). */
  readonly from: Temporal.Instant;
  readonly to: Temporal.Instant;
  readonly groupBy: readonly RatedUsageGroup[];
  /** Ids or keys. */
  readonly customer?: string;
  readonly plan?: string;
  readonly price?: string;
  readonly currency?: string;
  /** Only customers whose id comes behind; where the first group is the customer, rows come in that order. */
  readonly afterCustomer?: string;
  readonly rowsMax: number;
}

export interface RatedUsageRow {
  readonly customer?: { readonly id: string; readonly key: string | null };
  readonly plan?: { readonly id: string; readonly key: string };
  /** Null for what lacked to a commitment, which is no price's. */
  readonly price?: { readonly id: string; readonly key: string } | null;
  readonly day?: string;
  readonly quantity: string;
  readonly amountMinor: bigint;
  readonly currency: string;
  readonly state: 'open' | 'closed' | 'adjustment';
  /** The closed period whose late usage it is. */
  readonly adjusts?: { readonly start: Temporal.Instant; readonly end: Temporal.Instant };
}

/** What each group selects. The names are ours, never a caller's text. */
const groupColumns: Readonly<Record<RatedUsageGroup, readonly string[]>> = {
  customer: ['days.customer_id', 'customers.key as customer_key'],
  plan: ['days.plan_id', 'plans.key as plan_key'],
  price: ['days.price_id', 'days.price_key'],
  day: ['days.day::text as day'],
};

interface ReportRow {
  customer_id?: string;
  customer_key?: string | null;
  plan_id?: string;
  plan_key?: string;
  price_id?: string | null;
  price_key?: string | null;
  day?: string;
  quantity: string;
  amount_minor: string;
  currency: string;
  state: RatedUsageRow['state'];
  adjusts_start: string | null;
  adjusts_end: string | null;
}

/** Days as they were rated, late usage on the day of the document that bears it, and what lacked to commitments. What was absorbed is nobody's. */
const earned = `(
  select rated_days.organization_id, customer_id, plan_id, price_id, price_key, days[place] as day, day_starts[place] as day_start, quantities[place] as quantity, amounts_minor[place] as amount_minor,
    rated_days.currency, case when is_final then 'closed' else 'open' end as state, null::timestamptz as adjusts_start, null::timestamptz as adjusts_end
  from rated_days join rated_periods using (subscription_id, period_index, customer_id, plan_id)
  -- How many of its days start before an instant: instants are whole microseconds.
  cross join generate_series(width_bucket($1::timestamptz - interval '1 microsecond', day_starts) + 1, width_bucket($2::timestamptz - interval '1 microsecond', day_starts)) as place
  where last_start >= $1 and first_start < $2
  union all
  select organization_id, customer_id, plan_id, price_id, price_key, day, day_start, quantity, billed_minor, currency, 'adjustment', period_start, period_end
  from late_settlements where invoice_id is not null and day_start >= $1 and day_start < $2
  union all
  select settled.organization_id, settled.customer_id, settled.plan_id, null, null, settled.day, settled.day_start, 0, settled.amount_minor, settled.currency,
    case when line.kind = 'minimum' then 'closed' else 'adjustment' end, case when line.kind = 'adjustment' then settled.period_start end, case when line.kind = 'adjustment' then settled.period_end end
  from commitment_settlements settled join invoice_lines line on line.id = settled.line_id where settled.day_start >= $1 and settled.day_start < $2) days`;

/** Sums rated days in the caller's organization; at most `rowsMax` rows and one more, by which a caller sees that there are too many. */
export async function readRatedUsage(manager: EntityManager, query: RatedUsageQuery): Promise<readonly RatedUsageRow[]> {
  const columns = query.groupBy.flatMap((group) => groupColumns[group]);
  const groups = columns.map((column) => column.replace(/ as \w+$/, ''));
  const always = ['days.currency', 'days.state', 'days.adjusts_start', 'days.adjusts_end'];
  const rows: ReportRow[] = await manager.query(
    `select ${[...columns, ...always].join(', ')},
       trim_scale(sum(days.quantity))::text as quantity, sum(days.amount_minor)::text as amount_minor
     from ${earned}
     join customers on customers.id = days.customer_id
     join plans on plans.id = days.plan_id
     where ($3::text is null or customers.id = $3 or customers.key = $3) and ($4::text is null or plans.id = $4 or plans.key = $4)
       and ($5::text is null or days.price_id = $5 or days.price_key = $5) and ($6::text is null or days.currency = $6)
       and ($8::text is null or days.customer_id > $8)
     group by ${[...groups, ...always].join(', ')}
     order by ${[...groups, 'days.currency', `array_position(array['closed', 'adjustment', 'open'], days.state)`, 'days.adjusts_start', 'days.adjusts_end'].join(', ')}
     limit $7`,
    [query.from.toString(), query.to.toString(), query.customer ?? null, query.plan ?? null, query.price ?? null, query.currency ?? null, query.rowsMax + 1, query.afterCustomer ?? null],
  );
  return rows.map(toReportRow);
}

function toReportRow(row: ReportRow): RatedUsageRow {
  return {
    ...(row.customer_id === undefined ? {} : { customer: { id: row.customer_id, key: row.customer_key ?? null } }),
    ...(row.plan_id === undefined ? {} : { plan: { id: row.plan_id, key: row.plan_key ?? '' } }),
    ...(row.price_id === undefined ? {} : { price: row.price_id === null ? null : { id: row.price_id, key: row.price_key ?? '' } }),
    ...(row.day === undefined ? {} : { day: row.day }),
    quantity: row.quantity,
    amountMinor: BigInt(row.amount_minor),
    currency: row.currency,
    state: row.state,
    ...(row.adjusts_start === null || row.adjusts_end === null ? {} : { adjusts: { start: Temporal.Instant.from(row.adjusts_start), end: Temporal.Instant.from(row.adjusts_end) } }),
  };
}
