import { canonicalFloat } from './canonical-number.js';
import type { EventFault } from './event-fault.js';
import { ExactNumber } from './exact-json.js';
import { isLongerInUtf8 } from './utf8-length.js';

/** Bytes of UTF-8 in canonical form, inclusive. */
export const dataSizeMax = 65_536;
/** Levels of objects and arrays, inclusive; `data` itself is the first. */
export const dataDepthMax = 10;

export type JsonObject = Readonly<Record<string, unknown>>;

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof ExactNumber);
}

export type CanonicalData = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly faults: readonly EventFault[] };

/**
 * The one text of a JSON object: no blanks, keys sorted by the bytes of their UTF-8, numbers as `canonicalNumber` writes
 * them. Equal values have equal text. The work is bounded: it stops above `dataSizeMax` and goes no deeper than `dataDepthMax`.
 * Faults call the object by `name`.
 */
export function canonicalData(data: JsonObject, name = 'data'): CanonicalData {
  const writer = new CanonicalWriter();
  const text = writer.object(data, 1);
  if (writer.isFaulty || isLongerInUtf8(text, dataSizeMax)) return { ok: false, faults: dataFaults(data, name) };
  return { ok: true, text };
}

class CanonicalWriter {
  isFaulty = false;
  private size = 0;

  object(value: JsonObject, level: number): string {
    const names = Object.keys(value);
    if (!this.enters(level) || !this.holds(names)) return '';
    const keys = sorted(names);
    let text = '{';
    for (let at = 0; at < keys.length; at += 1) {
      const key = keys[at] as string;
      text += `${at === 0 ? '' : ','}${quoted(key)}:${this.value(value[key], level)}`;
      this.size += key.length + 3;
      if (this.isFaulty) return '';
    }
    return `${text}}`;
  }

  private array(values: readonly unknown[], level: number): string {
    if (!this.enters(level) || !this.holds(values)) return '';
    let text = '[';
    for (let at = 0; at < values.length; at += 1) {
      text += `${at === 0 ? '' : ','}${this.value(values[at], level)}`;
      if (this.isFaulty) return '';
    }
    return `${text}]`;
  }

  private value(value: unknown, level: number): string {
    if (typeof value === 'string') return this.counted(quoted(value));
    if (typeof value === 'number') return this.counted(canonicalFloat(value));
    if (typeof value !== 'object' || value === null) return this.counted(String(value));
    if (Array.isArray(value)) return this.array(value, level + 1);
    if (value instanceof ExactNumber) return this.exact(value);
    return this.object(value as JsonObject, level + 1);
  }

  private exact(value: ExactNumber): string {
    if (value.text === null) this.isFaulty = true;
    return this.counted(value.text ?? '');
  }

  private counted(text: string): string {
    this.size += text.length;
    if (this.size > dataSizeMax) this.isFaulty = true;
    return text;
  }

  private enters(level: number): boolean {
    this.size += 2;
    if (level > dataDepthMax) this.isFaulty = true;
    return !this.isFaulty;
  }

  /** Each member has a byte at least, so that too many need not be sorted first. */
  private holds(members: readonly unknown[]): boolean {
    if (members.length > dataSizeMax) this.isFaulty = true;
    return !this.isFaulty;
  }
}

/** Characters that JSON escapes, and surrogates, which may stand alone. */
const needsEscape = /["\\\u0000-\u001f\ud800-\udfff]/;

function quoted(text: string): string {
  return needsEscape.test(text) ? JSON.stringify(text) : `"${text}"`;
}

/** Above it the runtime's own sort is faster. */
const insertedKeysMax = 24;

/** Sorts in place. UTF-16 order is byte order as long as no key has a character from U+D800 on. */
function sorted(keys: string[]): string[] {
  if (keys.length > insertedKeysMax || keys.some((key) => beyondPlainOrder.test(key))) return keys.sort(compareBytes);
  for (let next = 1; next < keys.length; next += 1) {
    const key = keys[next] as string;
    let at = next;
    while (at > 0 && (keys[at - 1] as string) > key) {
      keys[at] = keys[at - 1] as string;
      at -= 1;
    }
    keys[at] = key;
  }
  return keys;
}

const beyondPlainOrder = /[\ud800-\uffff]/;

/** The order of UTF-8 bytes, which is that of code points; UTF-16 puts surrogates before U+E000. */
const compareBytes: (a: string, b: string) => number = (a, b) => {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at += 1) {
    const left = a.charCodeAt(at);
    const right = b.charCodeAt(at);
    if (left !== right) return byteRank(left) - byteRank(right);
  }
  return a.length - b.length;
};

function byteRank(code: number): number {
  if (code < 0xd800) return code;
  return code < 0xe000 ? code + 0x10000 : code;
}

/** Every fault of data that was refused, in this order: depth, size, numbers. */
function dataFaults(data: JsonObject, name: string): EventFault[] {
  const pointer = `/${name}`;
  const faults: EventFault[] = [];
  if (isDeeper(data, dataDepthMax)) {
    faults.push({ pointer, code: 'too_deep', detail: `${name} may be nested ${dataDepthMax} levels deep, itself included.` });
  }
  if (isLarger(data)) {
    faults.push({ pointer, code: 'too_large', detail: `${name} may have ${dataSizeMax} bytes as JSON without blanks.` });
  }
  const numberPointer = outOfRangeNumber(data, pointer, 1);
  if (numberPointer !== null) {
    faults.push({ pointer: numberPointer, code: 'number_out_of_range', detail: 'The exponent of this number has more than nine digits.' });
  }
  return faults;
}

function isDeeper(value: unknown, levelsLeft: number): boolean {
  if (typeof value !== 'object' || value === null || value instanceof ExactNumber) return false;
  return levelsLeft === 0 || Object.values(value).some((item) => isDeeper(item, levelsLeft - 1));
}

/** Measures at least as much as the writer does; what lies too deep counts as nothing, since it is refused for that. */
function isLarger(data: JsonObject): boolean {
  const sizeOf = (value: unknown, level: number): number => {
    if (typeof value === 'string') return utf8QuotedSize(value);
    if (value instanceof ExactNumber) return value.text?.length ?? 0;
    if (typeof value === 'number') return canonicalFloat(value).length;
    if (typeof value !== 'object' || value === null) return String(value).length;
    if (level > dataDepthMax) return 2;
    const isArray = Array.isArray(value);
    if (memberCount(value) > dataSizeMax) return dataSizeMax + 1;
    const members = Object.entries(value);
    let size = 1 + Math.max(1, members.length);
    for (const [key, item] of members) {
      size += (isArray ? 0 : utf8QuotedSize(key) + 1) + sizeOf(item, level + 1);
      if (size > dataSizeMax) break;
    }
    return size;
  };
  return sizeOf(data, 1) > dataSizeMax;
}

function memberCount(value: object): number {
  return Array.isArray(value) ? value.length : Object.keys(value).length;
}

function utf8QuotedSize(text: string): number {
  const json = quoted(text);
  return isLongerInUtf8(json, dataSizeMax) ? dataSizeMax + 1 : new TextEncoder().encode(json).length;
}

function outOfRangeNumber(value: unknown, pointer: string, level: number): string | null {
  if (value instanceof ExactNumber) return value.text === null ? pointer : null;
  if (typeof value !== 'object' || value === null || level > dataDepthMax || memberCount(value) > dataSizeMax) return null;
  for (const [key, item] of Object.entries(value)) {
    if (typeof item !== 'object' || item === null) continue;
    const found = outOfRangeNumber(item, `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`, level + 1);
    if (found !== null) return found;
  }
  return null;
}
