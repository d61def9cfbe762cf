import { numberMark } from './stored-data.js';

/** Bytes of the mark in UTF-8. */
const markBytes = 3;

/** A string's own text, from JSON text that is a string: one mark less where it begins with one. */
export function stringText(raw: string): string {
  const text = `if(position(${raw}, '\\\\') = 0, substring(${raw}, 2, length(${raw}) - 2), JSONExtractString(${raw}))`;
  return `if(startsWith(${raw}, '"${numberMark}'), substring(${text}, ${markBytes + 1}), ${text})`;
}

/** Whether JSON text is a string that the sender sent, not a marked number. */
export function isString(raw: string): string {
  return `(startsWith(${raw}, '"') AND (NOT startsWith(${raw}, '"${numberMark}') OR startsWith(${raw}, '"${numberMark}${numberMark}')))`;
}
