import { canonicalData, isJsonObject, type JsonObject } from './canonical-data.js';
import type { EventFault } from './event-fault.js';
import { compareInstants, scanInstant, type MicroInstant } from './micro-instant.js';
import { isLongerInUtf8 } from './utf8-length.js';

/** Bytes of UTF-8 that an id, source, type or subject may have, inclusive. */
export const identityTextSizeMax = 256;
export const defaultSource = 'default';

/** An event that may be counted: every field as the log keeps it. */
export interface NewUsageEvent {
  readonly source: string;
  readonly id: string;
  readonly type: string;
  readonly subject: string;
  /** RFC 3339, UTC, six digits. */
  readonly time: string;
  /** Whether the sender gave the time; else it is the receipt in business time. */
  readonly timeGiven: boolean;
  /** Canonical JSON text of an object. */
  readonly data: string;
}

/** What the sender calls the parts of an event, so that a fault names what was sent. A dot leads into an object. */
export type EventFieldNames = Readonly<Record<'id' | 'source' | 'type' | 'subject' | 'time' | 'data', string>>;

export const ownNames: EventFieldNames = { id: 'id', source: 'source', type: 'type', subject: 'subject', time: 'time', data: 'data' };

/** Bounds of an event's time, both inclusive, in business time. */
export interface TimeBounds {
  readonly latest: MicroInstant;
  /** The raw retention's edge; null where events are kept for ever. */
  readonly oldest: MicroInstant | null;
  /** The time of an event that has none, as `NewUsageEvent.time`. */
  readonly receipt: string;
}

export type CheckedEvent = { readonly ok: true; readonly event: NewUsageEvent } | { readonly ok: false; readonly faults: readonly EventFault[] };

const earliest: MicroInstant = { seconds: 946_684_800, micros: 0 }; // 2000-01-01T00:00:00Z

/**
 * Checks one parsed event and names every fault, in this order, which is part of the contract: the event as a whole, id,
 * source, type, subject, time, data. A null field is an absent one, as in CloudEvents; unknown fields are left aside.
 * Faults are named in the words of the sender where their format has others.
 */
export function checkEvent(input: unknown, bounds: TimeBounds, names: EventFieldNames = ownNames): CheckedEvent {
  if (!isJsonObject(input)) {
    return { ok: false, faults: [{ pointer: '', code: 'invalid_type', detail: 'An event must be a JSON object.' }] };
  }
  const faults: EventFault[] = [];
  const checking: Checking = { bounds, names, faults };
  const id = identityText(input, 'id', checking);
  const source = sourceText(input, checking);
  const type = identityText(input, 'type', checking);
  const subject = identityText(input, 'subject', checking);
  const time = eventTime(input.time, checking);
  const data = eventData(input.data, checking);
  if (faults.length > 0) return { ok: false, faults };
  return { ok: true, event: { source, id, type, subject, time: time ?? bounds.receipt, timeGiven: time !== null, data } };
}

/** Where faults of fields go, and what the fields are called there. */
export interface FieldChecking {
  readonly names: EventFieldNames;
  readonly faults: EventFault[];
}

interface Checking extends FieldChecking {
  readonly bounds: TimeBounds;
}

function pointerTo(name: string): string {
  return `/${name.replaceAll('.', '/')}`;
}

/** Whether the text may stand as an id, source, type or subject. */
export function isIdentityText(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && !holdsForbidden(value) && !isLongerInUtf8(value, identityTextSizeMax);
}

/** The source, or what stands for one that is left out. */
export function sourceText(input: JsonObject, checking: FieldChecking): string {
  return input.source === undefined || input.source === null ? defaultSource : identityText(input, 'source', checking);
}

export function identityText(input: JsonObject, field: keyof EventFieldNames, { names, faults }: FieldChecking): string {
  const value = input[field];
  const name = names[field];
  if (value === undefined || value === null) {
    faults.push({ pointer: pointerTo(name), code: 'missing_field', detail: `An event needs its ${name}.` });
    return '';
  }
  if (typeof value !== 'string') {
    faults.push({ pointer: pointerTo(name), code: 'invalid_type', detail: `${name} must be a string.` });
    return '';
  }
  if (value === '') faults.push({ pointer: pointerTo(name), code: 'invalid_string', detail: `${name} must not be empty.` });
  if (holdsForbidden(value)) {
    faults.push({ pointer: pointerTo(name), code: 'invalid_string', detail: `${name} must not hold U+0000 or a lone surrogate.` });
  }
  if (isLongerInUtf8(value, identityTextSizeMax)) {
    faults.push({ pointer: pointerTo(name), code: 'too_long', detail: `${name} may have ${identityTextSizeMax} bytes of UTF-8.` });
  }
  return value;
}

export function holdsForbidden(value: string): boolean {
  return value.includes('\0') || !value.isWellFormed();
}

function eventTime(value: unknown, { bounds, names: { time: name }, faults }: Checking): string | null {
  if (value === undefined || value === null) return null;
  if (typeof value !== 'string') {
    faults.push({ pointer: pointerTo(name), code: 'invalid_type', detail: `${name} must be a string, as RFC 3339 writes an instant.` });
    return null;
  }
  const instant = scanInstant(value);
  if (instant === null) {
    faults.push({ pointer: pointerTo(name), code: 'invalid_time', detail: `${name} must be an instant as RFC 3339 writes it, with Z or an offset, and no leap second.` });
    return null;
  }
  if (compareInstants(instant, earliest) < 0) {
    faults.push({ pointer: pointerTo(name), code: 'invalid_time', detail: `${name} must not be before 2000-01-01T00:00:00Z.` });
  } else if (compareInstants(instant, bounds.latest) > 0) {
    faults.push({ pointer: pointerTo(name), code: 'invalid_time', detail: `${name} must not be more than an hour ahead.` });
  } else if (bounds.oldest !== null && compareInstants(instant, bounds.oldest) < 0) {
    faults.push({ pointer: pointerTo(name), code: 'too_old', detail: `${name} lies before what the organization keeps of its raw events.` });
  }
  return instant.text;
}

/** Canonical text of data; what is no object, too deep, too large or has a number that can't be written is named. */
export function eventData(value: unknown, { names: { data: name }, faults }: FieldChecking): string {
  if (value === undefined || value === null) return '{}';
  if (!isJsonObject(value)) {
    faults.push({ pointer: pointerTo(name), code: 'invalid_type', detail: `${name} must be a JSON object.` });
    return '';
  }
  const canonical = canonicalData(value, name);
  if (canonical.ok) return canonical.text;
  faults.push(...canonical.faults);
  return '';
}
