/**
 * An instant to the microsecond as two safe integers: whole seconds since 1970-01-01T00:00:00Z (floor) and
 * microseconds in [0, 1,000,000). One number of microseconds would leave the safe range in 2255, and Temporal costs
 * more than the rest of an event's check.
 */
export interface MicroInstant {
  readonly seconds: number;
  readonly micros: number;
}

interface CivilDate {
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

export interface ScannedInstant extends MicroInstant {
  /** RFC 3339 in UTC with exactly six digits after the second. */
  readonly text: string;
}

const textLengthMax = 256;
const secondsPerDay = 86_400;
const daysBefore1970 = 719_468;
const daysPerEra = 146_097;
const [dash, colon, dot, plus, zero, upperT, upperZ, lowerT, lowerZ] = [45, 58, 46, 43, 48, 84, 90, 116, 122];

/**
 * Reads RFC 3339: a date, `T`, a time of day and `Z` or an offset, letters in either case. Digits after the sixth are
 * cut. Null for anything else: a leap second, 24:00, a day that its month lacks, a blank instead of the T.
 */
export function scanInstant(text: string): ScannedInstant | null {
  if (text.length < 20 || text.length > textLengthMax || !hasMarks(text)) return null;
  const year = twoDigits(text, 0) * 100 + twoDigits(text, 2);
  const month = twoDigits(text, 5);
  const day = twoDigits(text, 8);
  const hour = twoDigits(text, 11);
  const minute = twoDigits(text, 14);
  const second = twoDigits(text, 17);
  // A pair that is no number is NaN, which is within no bounds.
  const isDate = year >= 0 && month >= 1 && month <= 12 && day >= 1 && day <= daysInMonth({ year, month });
  if (!isDate || !(hour <= 23 && minute <= 59 && second <= 59)) return null;
  const fractionEnd = endOfFraction(text);
  const offsetSeconds = scanOffset(text, fractionEnd);
  if (offsetSeconds === null) return null;
  const micros = microsOf(text, fractionEnd);
  const seconds = daysSinceEpoch({ year, month, day }) * secondsPerDay + hour * 3_600 + minute * 60 + second - offsetSeconds;
  if (offsetSeconds !== 0) return { seconds, micros, text: textOfInstant({ seconds, micros }) };
  return { seconds, micros, text: `${text.slice(0, 10)}T${text.slice(11, 19)}.${sixDigits(micros)}Z` };
}

/** Whole seconds since 1970 of an instant in the form of `ScannedInstant.text`; null for any other text. */
export function secondsOfText(text: string): number | null {
  if (text.length !== 27 || !hasMarks(text) || text.charCodeAt(10) !== upperT || text.charCodeAt(26) !== upperZ || endOfFraction(text) !== 26) return null;
  const year = twoDigits(text, 0) * 100 + twoDigits(text, 2);
  const [month, day] = [twoDigits(text, 5), twoDigits(text, 8)];
  const [hour, minute, second] = [twoDigits(text, 11), twoDigits(text, 14), twoDigits(text, 17)];
  // A pair that is no number is NaN, which is within no bounds.
  const isDate = year >= 0 && month >= 1 && month <= 12 && day >= 1 && day <= daysInMonth({ year, month });
  if (!isDate || !(hour <= 23 && minute <= 59 && second <= 59)) return null;
  return daysSinceEpoch({ year, month, day }) * secondsPerDay + hour * 3_600 + minute * 60 + second;
}

/** Microseconds since 1970 of an instant from then on in the form of `ScannedInstant.text`, a safe integer. It must have that form: nothing is checked. */
export function microsOfText(text: string): number {
  const days = daysSinceEpoch({ year: twoDigits(text, 0) * 100 + twoDigits(text, 2), month: twoDigits(text, 5), day: twoDigits(text, 8) });
  const seconds = days * secondsPerDay + twoDigits(text, 11) * 3_600 + twoDigits(text, 14) * 60 + twoDigits(text, 17);
  return seconds * 1_000_000 + microsOf(text, 26);
}

/** Negative, zero or positive as `a` is earlier than, equal to or later than `b`. */
export function compareInstants(a: MicroInstant, b: MicroInstant): number {
  return a.seconds === b.seconds ? a.micros - b.micros : a.seconds - b.seconds;
}

/** RFC 3339 in UTC with six digits after the second, for the years 0 to 9999. */
export function textOfInstant({ seconds, micros }: MicroInstant): string {
  const days = Math.floor(seconds / secondsPerDay);
  const ofDay = seconds - days * secondsPerDay;
  const { year, month, day } = civilDate(days);
  const date = `${String(year).padStart(4, '0')}-${pad2(month)}-${pad2(day)}`;
  const time = `${pad2(Math.floor(ofDay / 3_600))}:${pad2(Math.floor(ofDay / 60) % 60)}:${pad2(ofDay % 60)}`;
  return `${date}T${time}.${sixDigits(micros)}Z`;
}

export function toMicroInstant(instant: Temporal.Instant): MicroInstant {
  const { epochMilliseconds } = instant;
  const seconds = Math.floor(epochMilliseconds / 1_000);
  const beyond = instant.epochNanoseconds - BigInt(epochMilliseconds) * 1_000_000n; // Below a millisecond, and never negative.
  return { seconds, micros: (epochMilliseconds - seconds * 1_000) * 1_000 + Number(beyond / 1_000n) };
}

/** Days from 1970-01-01 to a date of the proleptic Gregorian calendar, counted in years that begin in March. */
function daysSinceEpoch({ year, month, day }: CivilDate): number {
  const shiftedYear = month <= 2 ? year - 1 : year;
  const era = Math.floor(shiftedYear / 400);
  const yearOfEra = shiftedYear - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * daysPerEra + dayOfEra - daysBefore1970;
}

function civilDate(daysSince1970: number): CivilDate {
  const days = daysSince1970 + daysBefore1970;
  const era = Math.floor(days / daysPerEra);
  const dayOfEra = days - era * daysPerEra;
  const leaps = Math.floor(dayOfEra / 1_460) - Math.floor(dayOfEra / 36_524) + Math.floor(dayOfEra / 146_096);
  const yearOfEra = Math.floor((dayOfEra - leaps) / 365);
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  return { year, month, day: dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1 };
}

export function daysInMonth({ year, month }: { readonly year: number; readonly month: number }): number {
  if (month !== 2) return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
}

function hasMarks(text: string): boolean {
  return (
    text.charCodeAt(4) === dash && text.charCodeAt(7) === dash && (text.charCodeAt(10) | 32) === lowerT &&
    text.charCodeAt(13) === colon && text.charCodeAt(16) === colon
  );
}

function endOfFraction(text: string): number {
  if (text.charCodeAt(19) !== dot) return 19;
  let end = 20;
  while (isDigit(text.charCodeAt(end))) end += 1;
  return end;
}

function microsOf(text: string, fractionEnd: number): number {
  let micros = 0;
  for (let at = 20; at < 26; at += 1) micros = micros * 10 + (at < fractionEnd ? text.charCodeAt(at) - zero : 0);
  return micros;
}

/** Seconds east of UTC; null where the text does not end in `Z` or `±HH:MM`, or where a dot has no digit after it. */
function scanOffset(text: string, at: number): number | null {
  if (at === 20) return null;
  const sign = text.charCodeAt(at);
  if ((sign | 32) === lowerZ) return text.length === at + 1 ? 0 : null;
  if ((sign !== plus && sign !== dash) || text.length !== at + 6 || text.charCodeAt(at + 3) !== colon) return null;
  const hours = twoDigits(text, at + 1);
  const minutes = twoDigits(text, at + 4);
  if (!(hours <= 23 && minutes <= 59)) return null;
  const seconds = hours * 3_600 + minutes * 60;
  return sign === dash && seconds !== 0 ? -seconds : seconds;
}

function isDigit(code: number): boolean {
  return code >= zero && code <= zero + 9;
}

function twoDigits(text: string, at: number): number {
  const tens = text.charCodeAt(at);
  const ones = text.charCodeAt(at + 1);
  return isDigit(tens) && isDigit(ones) ? (tens - zero) * 10 + ones - zero : Number.NaN;
}

function pad2(value: number): string {
  return value < 10 ? `0${value}` : String(value);
}

function sixDigits(micros: number): string {
  return String(1_000_000 + micros).slice(1);
}
