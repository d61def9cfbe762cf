import { Fault } from '#platform';

/** Text is gathered up to this length before it is made bytes: a call for each row would cost more than the row. */
const textLengthMax = 16_384;
const blockBytesMin = 262_144;
const bytesPerUnitMax = 3; // Of UTF-8, for each unit of a text's length.

const special = /[\\\t\n\r\0]/;
const escapes: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r', '\0': '\\0' };

/** A text as a field of TabSeparated. Throws a Fault `rows_refused` for half a surrogate pair, which has no UTF-8. */
export function tabText(text: string): string {
  if (!text.isWellFormed()) throw new Fault({ code: 'rows_refused', detail: 'A text holds half of a surrogate pair.', retryable: false });
  return special.test(text) ? text.replace(/[\\\t\n\r\0]/g, (character) => escapes[character] as string) : text;
}

/**
 * Rows of TabSeparated as bytes. A batch has thousands, so they become bytes at once: as strings they would live through several
 * collections of garbage, which copy them each time.
 */
export class TabRows {
  private readonly full: Buffer[] = [];
  private open: Buffer = Buffer.alloc(0);
  private used = 0;
  private text = '';
  private rowCount = 0;

  get rows(): number {
    return this.rowCount;
  }

  /** `row` has its fields as `tabText` makes them, between tabs. */
  add(row: string): void {
    this.rowCount += 1;
    this.text += `${row}\n`;
    if (this.text.length >= textLengthMax) this.write();
  }

  /** All rows so far. */
  blocks(): readonly Buffer[] {
    this.write();
    return this.used === 0 ? this.full : [...this.full, this.open.subarray(0, this.used)];
  }

  private write(): void {
    if (this.text === '') return;
    const bytesMax = this.text.length * bytesPerUnitMax;
    if (this.open.length - this.used < bytesMax) {
      if (this.used > 0) this.full.push(this.open.subarray(0, this.used));
      this.open = Buffer.allocUnsafeSlow(Math.max(blockBytesMin, bytesMax));
      this.used = 0;
    }
    this.used += this.open.write(this.text, this.used);
    this.text = '';
  }
}
