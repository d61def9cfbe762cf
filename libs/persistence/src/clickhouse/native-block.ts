import { Fault } from '#platform';
import { TextBytes } from './text-bytes.js';

/** One column of a block in ClickHouse's format Native, which it reads without taking rows apart. */
export interface NativeColumn {
  readonly name: string;
  readonly type: string;
  readonly bytes: Buffer;
}

const enumBytes = (byName: Readonly<Record<string, number>>): string => `Enum8(${Object.entries(byName).map(([name, value]) => `'${name}' = ${value}`).join(', ')})`;

/** A block of `rows` rows; several of them after each other are rows of one insert. A column that is left out has its default. */
export function nativeBlock(rows: number, columns: readonly NativeColumn[]): Buffer[] {
  if (rows === 0) return [];
  const counts = new TextBytes(16);
  counts.varint(columns.length);
  counts.varint(rows);
  return columns.reduce<Buffer[]>((blocks, { name, type, bytes }) => {
    const head = new TextBytes(name.length + type.length);
    head.add(name);
    head.add(type);
    return [...blocks, head.bytes(), bytes];
  }, [counts.bytes()]);
}

/** Also for columns of LowCardinality, which ClickHouse makes of it. Throws a Fault `rows_refused` for half a surrogate pair, which has no UTF-8. */
export function textColumn<Row>(name: string, rows: readonly Row[], textOf: (row: Row) => string): NativeColumn {
  let length = 0;
  for (const row of rows) length += textOf(row).length + 1;
  const texts = new TextBytes(length);
  for (const row of rows) {
    if (!texts.add(textOf(row))) throw new Fault({ code: 'rows_refused', detail: `A text of ${name} holds half of a surrogate pair.`, retryable: false });
  }
  return { name, type: 'String', bytes: texts.bytes() };
}

export function uint64Column<Row>(name: string, rows: readonly Row[], valueOf: (row: Row) => bigint): NativeColumn {
  const values = new BigUint64Array(rows.length);
  for (let nth = 0; nth < rows.length; nth += 1) values[nth] = valueOf(rows[nth] as Row);
  return { name, type: 'UInt64', bytes: bytesOf(values) };
}

export function uint16Column<Row>(name: string, rows: readonly Row[], valueOf: (row: Row) => number): NativeColumn {
  return { name, type: 'UInt16', bytes: bytesOf(Uint16Array.from(rows, valueOf)) };
}

export function uint8Column<Row>(name: string, rows: readonly Row[], valueOf: (row: Row) => number): NativeColumn {
  return { name, type: 'UInt8', bytes: bytesOf(Uint8Array.from(rows, valueOf)) };
}

export function boolColumn<Row>(name: string, rows: readonly Row[], valueOf: (row: Row) => boolean): NativeColumn {
  return { name, type: 'Bool', bytes: bytesOf(Uint8Array.from(rows, (row) => (valueOf(row) ? 1 : 0))) };
}

/** `byName` has the values in the order in which the table's column has them. */
export function enumColumn<Row, Name extends string>(name: string, rows: readonly Row[], { byName, nameOf }: { readonly byName: Readonly<Record<Name, number>>; readonly nameOf: (row: Row) => Name }): NativeColumn {
  return { name, type: enumBytes(byName), bytes: bytesOf(Int8Array.from(rows, (row) => byName[nameOf(row)])) };
}

/** Of `DateTime`: whole seconds since 1970, at most `dateTimeSecondsMax`. */
export function secondsColumn<Row>(name: string, rows: readonly Row[], secondsOf: (row: Row) => number): NativeColumn {
  return { name, type: `DateTime('UTC')`, bytes: bytesOf(Uint32Array.from(rows, secondsOf)) };
}

/** Of `DateTime64(6)`: microseconds since 1970, a safe integer and not negative. */
export function microsColumn<Row>(name: string, rows: readonly Row[], microsOf: (row: Row) => number): NativeColumn {
  const halves = new Uint32Array(rows.length * 2); // A bigint for each would cost more than the rest of the column.
  for (let nth = 0; nth < rows.length; nth += 1) {
    const micros = microsOf(rows[nth] as Row);
    halves[nth * 2] = micros % halfOfUint64;
    halves[nth * 2 + 1] = Math.floor(micros / halfOfUint64);
  }
  return { name, type: `DateTime64(6, 'UTC')`, bytes: bytesOf(halves) };
}

export const dateTimeSecondsMax = 2 ** 32 - 1;
const halfOfUint64 = 2 ** 32;

/** In the machine's order, which is the little-endian one wherever Node runs on. */
function bytesOf(values: ArrayBufferView<ArrayBuffer>): Buffer {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength);
}
