import type { MeterTrialInput } from '#contracts';
import { canonicalPercentile, countingRule, eventState, groupByRule, isZeroOfNothing, meterFaults, parseData, valueByRule, type CountingRule, type Meter } from '#domain';
import type { EventReader, ListedEvent, TrialCounter, TrialCounts, UsageReader } from '#persistence';
import { accepted, assert, refused, type Clock, type Outcome } from '#platform';
import { usageRange, type UsageRange } from './usage-range.js';

export type TryMeterCode = 'invalid_request';

export interface TriedEvent extends Pick<ListedEvent, 'source' | 'id' | 'subject' | 'time'> {
  /** Null where the event is not counted. */
  readonly value: string | null;
  readonly group: Readonly<Record<string, string>>;
  readonly reason: { readonly code: string; readonly detail: string } | null;
}

export interface MeterTrial extends UsageRange {
  readonly counts: TrialCounts;
  readonly value: string | null;
  readonly groups: readonly { readonly group: Readonly<Record<string, string>>; readonly value: string }[];
  readonly groupsTotal: number;
  readonly samples: readonly TriedEvent[];
  readonly freshAsOf: Temporal.Instant;
}

const samplesMax = 50;
const groupsMax = 100;
const daysDefault = 7;
const daysMax = 31;

/** What a meter would count that does not exist yet. Reads raw events, and stores nothing. */
export class TryMeter {
  constructor(private readonly use: { readonly events: EventReader; readonly usage: UsageReader; readonly counter: TrialCounter; readonly clock: Clock }) {}

  async execute(organizationId: string, input: MeterTrialInput): Promise<Outcome<MeterTrial, TryMeterCode>> {
    const counting = { aggregation: input.aggregation, valuePath: input.value ?? null, percentile: input.percentile ?? null, groupBy: input.group_by ?? {}, filter: input.filter ?? null };
    const { range, faults } = usageRange(await this.boundsOf(organizationId, input));
    if (faults.length === 0 && range.to.since(range.from).total('hours') > daysMax * 24) {
      faults.push({ pointer: '/from', code: 'invalid_range', detail: `A trial covers at most ${daysMax} days.` });
    }
    const allFaults = [...meterFaults(counting), ...faults];
    if (allFaults.length > 0) return refused('invalid_request', 'This meter can not be tried.', allFaults);
    const percentile = counting.percentile === null ? null : canonicalPercentile(counting.percentile);
    return accepted(await this.tried({ ...counting, percentile, id: 'draft', key: 'draft', organizationId, eventType: input.event_type }, range));
  }

  private async tried(meter: Meter, range: UsageRange): Promise<MeterTrial> {
    const dimensions = countingRule(meter).dimensions.map(({ name }) => name);
    const whole = await this.read(meter, { ...range, groupBy: [] });
    const byGroup = dimensions.length === 0 ? null : await this.read(meter, { ...range, groupBy: dimensions });
    return {
      ...range,
      counts: await this.use.counter.count(meter, range),
      value: whole.rows[0]?.value ?? (isZeroOfNothing(meter.aggregation) ? '0' : null),
      groups: (byGroup?.rows ?? []).filter(({ isRest }) => !isRest).map(({ group, value }) => ({ group, value })),
      groupsTotal: byGroup?.groupsTotal ?? 0,
      samples: (await this.newest(meter, { ...range, limit: samplesMax })).map((event) => triedEvent(event, countingRule(meter))),
      freshAsOf: whole.freshAsOf,
    };
  }

  private async read(meter: Meter, of: UsageRange & { readonly groupBy: readonly string[] }) {
    const usage = await this.use.usage.read({
      meter, ...of, windows: { kind: 'whole' }, customerIds: null, subjects: null, groupsByCustomer: false, groupsBySubject: false, filters: {},
      groupOrder: of.groupBy.length === 0 ? 'key' : 'greatest_first', groupsMax: of.groupBy.length === 0 ? null : groupsMax, fillsZero: false, rowsMax: groupsMax + 1,
    });
    assert(usage.ok, 'Without windows there is one row for each group that is shown, and one for the rest.');
    return usage.value;
  }

  /** The newest event of the type ends the range, so that an organization on a test clock sees its own. */
  private async boundsOf(organizationId: string, input: MeterTrialInput): Promise<{ from: string; to: string }> {
    const [newest] = input.to === undefined ? await this.newest({ organizationId, eventType: input.event_type }, { from: null, to: null, limit: 1 }) : [];
    const to = input.to ?? (newest === undefined ? this.use.clock.now() : Temporal.Instant.from(newest.time).add({ microseconds: 1 })).toString();
    return { from: input.from ?? Temporal.Instant.from(to).subtract({ hours: daysDefault * 24 }).toString(), to };
  }

  private newest(of: Pick<Meter, 'organizationId' | 'eventType'>, page: { from: Temporal.Instant | null; to: Temporal.Instant | null; limit: number }): Promise<ListedEvent[]> {
    const any = { subject: null, source: null, id: null, attachments: null, search: null, after: null, before: null };
    return this.use.events.list({ ...any, ...page, organizationId: of.organizationId, type: of.eventType, verdict: 'counted' });
  }
}

function triedEvent(event: ListedEvent, rule: CountingRule): TriedEvent {
  const data = parseData(event.data);
  const [reason] = eventState({ data, hasCustomer: true }, [{ key: 'draft', rule }]).reasons;
  const value = valueByRule(data, rule);
  return {
    source: event.source,
    id: event.id,
    subject: event.subject,
    time: event.time,
    value: reason === undefined && value.ok ? value.text : null,
    group: groupByRule(data, rule),
    reason: reason === undefined ? null : { code: reason.code, detail: reason.detail },
  };
}
