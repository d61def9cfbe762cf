// Arrays as Postgres reads them in its binary format, which pg uses for a Buffer. As text each quote of each record would be escaped
// here and taken back there, which cost as much as the rest of an append.

const textOid = 25;
const int4Oid = 23;
/** Dimensions, whether there are nulls, the element's type; then length and lower bound of the one dimension. */
const headerBytes = 20;

/** A `text[]` without nulls. The texts must be well-formed and without U+0000. */
export function binaryTextArray(texts: readonly string[]): Buffer {
  let bytesMax = headerBytes;
  for (const text of texts) bytesMax += 4 + text.length * 3; // A UTF-16 unit is three bytes of UTF-8 at most.
  const buffer = Buffer.allocUnsafe(bytesMax);
  writeHeader(buffer, { elementOid: textOid, length: texts.length });
  let at = headerBytes;
  for (const text of texts) {
    const size = buffer.write(text, at + 4, 'utf8');
    buffer.writeInt32BE(size, at);
    at += 4 + size;
  }
  return buffer.subarray(0, at);
}

/** An `integer[]` without nulls. */
export function binaryIntegerArray(values: readonly number[]): Buffer {
  const buffer = Buffer.allocUnsafe(headerBytes + values.length * 8);
  writeHeader(buffer, { elementOid: int4Oid, length: values.length });
  let at = headerBytes;
  for (const value of values) {
    buffer.writeInt32BE(4, at);
    buffer.writeInt32BE(value, at + 4);
    at += 8;
  }
  return buffer;
}

function writeHeader(buffer: Buffer, { elementOid, length }: { readonly elementOid: number; readonly length: number }): void {
  buffer.writeInt32BE(1, 0);
  buffer.writeInt32BE(0, 4);
  buffer.writeInt32BE(elementOid, 8);
  buffer.writeInt32BE(length, 12);
  buffer.writeInt32BE(1, 16);
}
