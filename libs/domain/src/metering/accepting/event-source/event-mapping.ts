import { assert } from '../../../assert.js';
import { parseDataPath, type DataPath } from '../../data-path.js';
import { valueAt } from '../../data-value.js';
import type { JsonObject } from '../canonical-data.js';
import type { GatewayEvent, GatewayReader } from '../gateways/gateway-event.js';
import { epochTime, firstTime, textOfFirst } from '../gateways/record-values.js';

export const mappingTimeUnits = ['rfc3339', 'seconds', 'milliseconds', 'nanoseconds'] as const;

/** Where an entry of a source says what an event needs. Paths lead into the entry, such as `$.account.id`; null leaves the matter to the format. */
export interface EventMapping {
  /** The first path that leads to a text or a number counts. */
  readonly id: readonly string[] | null;
  readonly subject: readonly string[] | null;
  readonly type: readonly string[] | null;
  readonly time: readonly string[] | null;
  /** How the time is written. */
  readonly timeUnit: (typeof mappingTimeUnits)[number];
  /** Members of the event's data by their paths, beside those of the format; null where there are none of the user's own. */
  readonly data: Readonly<Record<string, string>> | null;
  /** Where no path leads to anything. */
  readonly defaults: { readonly subject?: string | undefined; readonly type?: string | undefined };
}

export interface MappingFault {
  readonly pointer: string;
  readonly code: 'invalid_path' | 'missing_field';
  readonly detail: string;
}

const pathFields = ['id', 'subject', 'type', 'time'] as const;

/** What keeps a mapping from making events. An entry without a format of its own has to be told type and subject. */
export function mappingFaults(mapping: EventMapping, hasFormat: boolean): MappingFault[] {
  const faults: MappingFault[] = [];
  const check = ({ path, pointer }: { readonly path: string; readonly pointer: string }): void => {
    const parsed = parseDataPath(path);
    if (!parsed.ok) faults.push({ pointer, code: 'invalid_path', detail: parsed.detail });
  };
  for (const field of pathFields) mapping[field]?.forEach((path, index) => check({ path, pointer: `/mapping/${field}/${index}` }));
  for (const [name, path] of Object.entries(mapping.data ?? {})) check({ path, pointer: `/mapping/data/${name.replaceAll('~', '~0').replaceAll('/', '~1')}` });
  for (const field of ['subject', 'type'] as const) {
    if (hasFormat || mapping[field] !== null || mapping.defaults[field] !== undefined) continue;
    faults.push({ pointer: `/mapping/${field}`, code: 'missing_field', detail: `Give paths for the ${field}, or a default.` });
  }
  return faults;
}

/** Reads entries as the mapping says; `own` is how the format itself reads them, null where any JSON object is an entry. */
export function mappingReader(mapping: EventMapping, own: GatewayReader | null): GatewayReader {
  const paths = { id: parsedPaths(mapping.id), subject: parsedPaths(mapping.subject), type: parsedPaths(mapping.type), time: parsedPaths(mapping.time) };
  const members = Object.entries(mapping.data ?? {}).map(([name, path]) => ({ name, path: parsedPath(path) }));
  return (entry) => {
    const base = own?.(entry) ?? wholeEntry(mapping.data === null ? entry : {});
    const valuesAt = (leads: readonly DataPath[]): unknown[] => leads.map((path) => valueAt(entry, path));
    const textAt = (leads: readonly DataPath[] | null, ofFormat: string | null): string | null => (leads === null ? ofFormat : textOfFirst(...valuesAt(leads)));
    return {
      ...base,
      requestId: textAt(paths.id, base.requestId),
      subject: textAt(paths.subject, base.subject) ?? mapping.defaults.subject ?? null,
      type: textAt(paths.type, base.type) ?? mapping.defaults.type ?? null,
      time: paths.time === null ? base.time : timeOf(firstTime(...valuesAt(paths.time)), mapping.timeUnit),
      data: { ...base.data, ...Object.fromEntries(members.map(({ name, path }) => [name, valueAt(entry, path)] as const).filter(([, value]) => value !== undefined)) },
    };
  };
}

function wholeEntry(data: JsonObject): GatewayEvent {
  return { requestId: null, subject: null, type: null, time: undefined, data };
}

function timeOf(value: unknown, unit: EventMapping['timeUnit']): unknown {
  return unit === 'rfc3339' ? value : epochTime(value, unit);
}

function parsedPaths(paths: readonly string[] | null): DataPath[] | null {
  return paths?.map(parsedPath) ?? null;
}

function parsedPath(text: string): DataPath {
  const parsed = parseDataPath(text);
  assert(parsed.ok, 'A stored mapping has paths that were checked when it was made.');
  return parsed.path;
}
