import { textOfInstant, toMicroInstant, type MeterPart } from '#domain';
import type { SqlParameters } from './clickhouse.js';

/** Gathers the parameters of one statement; equal values share a placeholder. */
export class Placeholders {
  private readonly places = new Map<string, { name: string; value: string | number | readonly string[] }>();

  text(value: string): string {
    return this.place('String', value);
  }

  texts(values: readonly string[]): string {
    return this.place('Array(String)', values);
  }

  get parameters(): SqlParameters {
    return Object.fromEntries([...this.places.values()].map(({ name, value }) => [name, value]));
  }

  private place(type: string, value: string | readonly string[]): string {
    const key = `${type} ${JSON.stringify(value)}`;
    const known = this.places.get(key) ?? { name: `p${this.places.size}`, value };
    this.places.set(key, known);
    return `{${known.name}:${type}}`;
  }
}

const memoryMaxBytes = 1_000_000_000;
/** Settings that bound a statement's memory: what sorts or groups more than a quarter of it goes by disk. */
export const boundedMemory = `max_memory_usage=${memoryMaxBytes}, max_bytes_before_external_group_by=${memoryMaxBytes / 4}, max_bytes_before_external_sort=${memoryMaxBytes / 4}`;

/** True for rows whose `time` is one at which a version of a meter counts. */
export function isInPart({ from, until }: Pick<MeterPart, 'from' | 'until'>): string {
  const bounds = [...(from === null ? [] : [`time >= fromUnixTimestamp64Micro(${microsOf(from)}, 'UTC')`]), ...(until === null ? [] : [`time < fromUnixTimestamp64Micro(${microsOf(until)}, 'UTC')`])];
  return bounds.length === 0 ? '1' : bounds.join(' AND ');
}

/** Microseconds since 1970, cut downwards. */
export function microsOf(instant: Temporal.Instant): bigint {
  const nanoseconds = instant.epochNanoseconds;
  const floor = nanoseconds / 1_000n;
  return nanoseconds < 0n && nanoseconds % 1_000n !== 0n ? floor - 1n : floor;
}

export function instantOfMicros(micros: bigint): Temporal.Instant {
  return Temporal.Instant.fromEpochNanoseconds(micros * 1_000n);
}

/** `DateTime64(6)` as it is inserted, from RFC 3339 in UTC with six digits. */
export function timeText(rfc3339: string): string {
  return `${rfc3339.slice(0, 10)} ${rfc3339.slice(11, 26)}`;
}

/** `DateTime64(6)` of an instant, as it is inserted. */
export function timeTextOf(instant: Temporal.Instant): string {
  return timeText(textOfInstant(toMicroInstant(instant)));
}

/** RFC 3339 with six digits from what ClickHouse answers for a `DateTime64(6)`. */
export function rfc3339Of(text: string): string {
  return `${text.slice(0, 10)}T${text.slice(11)}Z`;
}
