import { parseDataPath, type Meter } from '#domain';
import type { EventQuery, EventSearch } from '#persistence';
import type { InputFault } from '#platform';

/** What events are looked for by, beside their own fields. */
export interface WantedEvents {
  readonly state: 'counted' | 'duplicate' | 'conflict' | 'voided' | 'not_counted' | null;
  /** A path, with or without `$.`, to the texts that are let through. */
  readonly data: Readonly<Record<string, readonly string[]>>;
  readonly from: Temporal.Instant | null;
  readonly to: Temporal.Instant | null;
}

export interface SearchMeters {
  /** Null where events of any meter are wanted. */
  readonly meter: Meter | null;
  /** Those that may count what is looked for. */
  readonly current: readonly Meter[];
}

const rangeDaysMax = 31;
const daySeconds = 86_400;
const pathsMax = 5;
/** Meters that a search by state asks of each event. */
const metersMax = 50;

/** The search that a question takes, and what is wrong with it. What reads data is bounded by a range of event times. */
export function eventSearch(wanted: WantedEvents, { meter, current }: SearchMeters): { asked: Pick<EventQuery, 'verdict' | 'search'>; faults: InputFault[] } {
  const faults: InputFault[] = [];
  const data = dataPaths(wanted.data, faults);
  const isCounting = wanted.state === 'counted' || wanted.state === 'not_counted';
  if (isCounting && current.length > metersMax) faults.push({ pointer: '/type', code: 'missing_field', detail: `There are more than ${metersMax} meters. Give the type of the events.` });
  const verdict = wanted.state === 'counted' || wanted.state === 'not_counted' || meter !== null ? 'counted' : wanted.state;
  const reads = Object.keys(wanted.data).length > 0 || meter !== null || isCounting;
  if (!reads) return { asked: { verdict, search: null }, faults };
  if (wanted.state === 'duplicate' || wanted.state === 'conflict') faults.push({ pointer: '/state', code: 'not_searchable', detail: 'Only what counts, or counted until it was voided, is searched by its data or by a meter.' });
  if (wanted.state === 'voided' && meter !== null) faults.push({ pointer: '/state', code: 'not_searchable', detail: 'No meter counts a voided event.' });
  faults.push(...rangeFaults(wanted));
  const search: EventSearch = { data, meter, counting: isCounting ? { isCounted: wanted.state === 'counted', meters: current } : null };
  return { asked: { verdict, search }, faults };
}

function dataPaths(filters: WantedEvents['data'], faults: InputFault[]): Record<string, readonly string[]> {
  const paths: Record<string, readonly string[]> = {};
  for (const [name, texts] of Object.entries(filters)) {
    const path = name.startsWith('$') ? name : `$.${name}`;
    const parsed = parseDataPath(path);
    if (parsed.ok) paths[path] = texts;
    else faults.push({ pointer: `/data[${name.replaceAll('~', '~0').replaceAll('/', '~1')}]`, code: 'invalid_path', detail: parsed.detail });
  }
  if (Object.keys(filters).length > pathsMax) faults.push({ pointer: '', code: 'too_many_filters', detail: `At most ${pathsMax} paths are searched at once.` });
  return paths;
}

function rangeFaults({ from, to }: WantedEvents): InputFault[] {
  const detail = `A search by data, by a meter or by what is counted reads every event of its range: give from and to, at most ${rangeDaysMax} days apart.`;
  const missing = [...(from === null ? ['/from'] : []), ...(to === null ? ['/to'] : [])].map((pointer) => ({ pointer, code: 'missing_field', detail }));
  if (from === null || to === null) return missing;
  const isTooLong = (to.epochMilliseconds - from.epochMilliseconds) / 1_000 > rangeDaysMax * daySeconds;
  return isTooLong ? [{ pointer: '/to', code: 'range_too_long', detail }] : [];
}
