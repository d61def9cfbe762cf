import type { UsageWindows } from '#domain';
import { microsOf } from './sql-builder.js';
import { hourMicros } from './subject-spans.js';

/** The beginning of the window of `at`, in microseconds; the first window begins where the range does. */
export function windowSql(windows: UsageWindows, from: bigint): string {
  switch (windows.kind) {
    case 'whole':
      return `toInt64(${from})`;
    case 'even': {
      const origin = microsOf(windows.origin);
      const width = windows.widthSeconds * 1_000_000;
      return `greatest(toInt64(${from}), toInt64(${origin} + intDiv(at - ${origin}, ${width}) * ${width}))`;
    }
    case 'listed':
      return `roundDown(at, [${windows.starts.map(microsOf).join(', ')}])`;
  }
}

/** The beginning of the window of a rollup's whole hour, in seconds since 1970; null where windows cut hours. */
export function hourWindowSql(windows: UsageWindows, from: bigint): string | null {
  switch (windows.kind) {
    case 'whole':
      return from % hourMicros === 0n ? `toUInt32(${from / 1_000_000n})` : null;
    case 'even':
      return windows.widthSeconds === 3_600 && microsOf(windows.origin) % hourMicros === 0n && from % hourMicros === 0n ? 'toUnixTimestamp(hour)' : null;
    case 'listed': {
      const starts = windows.starts.map(microsOf);
      return starts.every((start) => start % hourMicros === 0n) ? `roundDown(toUnixTimestamp(hour), [${starts.map((start) => start / 1_000_000n).join(', ')}])` : null;
    }
  }
}
