/** The place of a copy in the list of events: its time, then the order in which the log took it. */
export interface EventCursor {
  readonly timeMicros: bigint;
  readonly appendedMicros: bigint;
  readonly position: bigint;
  readonly partition: number;
}

const cursorText = /^(\d{1,17})-(\d{1,17})-(\d{1,19})-(\d{1,5})$/;

export function cursorOf(parts: { timeMicros: string; appendedMicros: string; position: string; partition: number }): EventCursor {
  return { timeMicros: BigInt(parts.timeMicros), appendedMicros: BigInt(parts.appendedMicros), position: BigInt(parts.position), partition: parts.partition };
}

/** Opaque to clients. */
export function encodeCursor(cursor: EventCursor): string {
  return Buffer.from(`${cursor.timeMicros}-${cursor.appendedMicros}-${cursor.position}-${cursor.partition}`).toString('base64url');
}

/** Null for what this never made. */
export function decodeCursor(text: string): EventCursor | null {
  const match = cursorText.exec(Buffer.from(text, 'base64url').toString('latin1'));
  if (match === null) return null;
  const [, timeMicros = '0', appendedMicros = '0', position = '0', partition = '0'] = match;
  return cursorOf({ timeMicros, appendedMicros, position, partition: Number.parseInt(partition, 10) });
}

export function compareCursors(a: EventCursor, b: EventCursor): number {
  return (
    compare(a.timeMicros, b.timeMicros) || compare(a.appendedMicros, b.appendedMicros) || compare(a.position, b.position) || a.partition - b.partition
  );
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
