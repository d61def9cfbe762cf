import { heldInWindows, partsOfText, textOfParts, unitHours, windowEnd, type GaugeChange } from '#domain';
import { assert } from '#platform';
import { instantOfMicros, microsOf } from './sql-builder.js';
import type { SliceQuery, SliceRow, UsageQuery } from './usage-query.js';
import type { ScanRow } from './usage-scan.js';

interface Window {
  readonly key: string;
  readonly from: bigint;
  readonly to: bigint;
}

/**
 * The rows of a time-weighted sum with the windows in which nothing happened and values lasted; null where they would be too many.
 * A line's total is rounded once at each window's end, and a window has the difference: so its windows add up to it, whatever they are.
 */
export function gaugeRows(query: UsageQuery, scanned: readonly ScanRow[]): readonly ScanRow[] | null {
  const rows: ScanRow[] = [];
  const origin = microsOf(query.from);
  for (const line of Map.groupBy(scanned, ({ ref, subject, groups, place }) => JSON.stringify([ref, subject, groups, place])).values()) {
    const [first] = line;
    assert(first !== undefined, 'A line has a row.');
    const changes = new Map(line.map((row) => [row.window_key, row]));
    let [total, told] = [0n, 0n];
    for (const { window, held } of heldInWindows(windowsFrom(query, { first: BigInt(first.window_key), origin }), ({ key }) => changeOf(changes.get(key)), line.length)) {
      total += held;
      rows.push({ ...first, window_key: window.key, events_text: changes.get(window.key)?.events_text ?? '0', value: textOfParts(unitHours(total) - told) });
      told = unitHours(total);
      if (rows.length > query.rowsMax) return null;
    }
  }
  return rows;
}

/** What each slice holds until each of its ends, or between two of them. */
export function gaugeSliceRows(query: SliceQuery, scanned: readonly ScanRow[], origin: bigint): SliceRow[] {
  return [...Map.groupBy(scanned, (row) => JSON.stringify([row.ref, row.groups])).values()].flatMap((line) => {
    const [first] = line;
    const slice = query.slices[first?.ref ?? -1];
    assert(first !== undefined && slice !== undefined, 'A row belongs to one of the slices.');
    const group = Object.fromEntries(query.groupBy.map((name, index) => [name, first.groups[index] ?? '']));
    const ends = [...slice.ends].sort(Temporal.Instant.compare);
    const changes = new Map(line.map((row) => [row.window_key, row]));
    const windows = ends.map((end, index): Window => ({ key: String(index + 1), from: microsOf(ends[index - 1] ?? slice.from) - origin, to: microsOf(end) - origin }));
    const firstIndex = Number(first.window_key) - 1;
    const held = new Map([...heldInWindows(windows.slice(firstIndex), ({ key }) => changeOf(changes.get(key)), line.length)].map(({ window, held: amount }) => [window.key, amount]));
    let total = 0n;
    return ends.slice(firstIndex).flatMap((end, index): SliceRow[] => {
      const within = held.get(String(firstIndex + index + 1));
      total += within ?? 0n;
      if (query.isByEnd !== true) return [{ ref: slice.ref, end, group, value: textOfParts(unitHours(total)) }];
      return within === undefined ? [] : [{ ref: slice.ref, end, group, value: textOfParts(unitHours(within)) }];
    });
  });
}

function* windowsFrom(query: UsageQuery, of: { readonly first: bigint; readonly origin: bigint }): Generator<Window> {
  for (let start = instantOfMicros(of.first); Temporal.Instant.compare(start, query.to) < 0; ) {
    const end = windowEnd(query.windows, start, query);
    yield { key: microsOf(start).toString(), from: microsOf(start) - of.origin, to: microsOf(end) - of.origin };
    start = end;
  }
}

function changeOf(row: ScanRow | undefined): GaugeChange | undefined {
  if (row === undefined) return undefined;
  const [delta = '', area = '', opened = ''] = row.value.split(' ');
  return { delta: partsOfText(delta), area: partsOfText(area), opened: partsOfText(opened) };
}
