const varintBytesMax = 5;
const bytesPerUnitMax = 3; // Of UTF-8, for each unit of a text's length.
/** Up to this length a loop is faster than a call that leaves JavaScript. */
const loopLengthMax = 40;

/** Texts as bytes, each behind the number of its bytes, one after the other. */
export class TextBytes {
  private buffer: Buffer;
  private used = 0;

  /** `bytesExpected` for all that will be added; it grows where that is too little. */
  constructor(bytesExpected: number) {
    this.buffer = Buffer.allocUnsafeSlow(bytesExpected + 64);
  }

  /** False, with nothing added, where the text holds half of a surrogate pair. */
  add(text: string): boolean {
    if (text.length <= loopLengthMax && this.addShortAscii(text)) return true;
    if (!text.isWellFormed()) return false;
    this.reserve(text.length + varintBytesMax);
    const expectedHead = varintSize(text.length);
    let size = this.buffer.write(text, this.used + expectedHead);
    if (size !== text.length) {
      size = Buffer.byteLength(text);
      this.reserve(text.length * bytesPerUnitMax + varintBytesMax);
      this.buffer.write(text, this.used + varintSize(size));
    }
    this.varint(size);
    this.used += size;
    return true;
  }

  /** A number in seven bits a byte, the lowest first. */
  varint(value: number): void {
    this.reserve(varintBytesMax);
    let rest = value;
    while (rest >= 0x80) {
      this.buffer[this.used++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.buffer[this.used++] = rest;
  }

  bytes(): Buffer {
    return this.buffer.subarray(0, this.used);
  }

  /** False where a character takes more than one byte: what was written is then written over. */
  private addShortAscii(text: string): boolean {
    const { length } = text;
    this.reserve(length + 1);
    const { buffer } = this;
    const start = this.used + 1;
    for (let at = 0; at < length; at += 1) {
      const code = text.charCodeAt(at);
      if (code > 127) return false;
      buffer[start + at] = code;
    }
    buffer[this.used] = length;
    this.used = start + length;
    return true;
  }

  private reserve(bytes: number): void {
    if (this.buffer.length - this.used >= bytes) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(this.buffer.length * 2, this.used + bytes));
    this.buffer.copy(grown, 0, 0, this.used);
    this.buffer = grown;
  }
}

function varintSize(value: number): number {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x20_0000 ? 3 : value < 0x1000_0000 ? 4 : 5;
}
