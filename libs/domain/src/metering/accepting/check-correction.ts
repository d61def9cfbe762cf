import type { CorrectionKind } from '../correct-events.js';
import { isJsonObject, type JsonObject } from './canonical-data.js';
import { eventData, holdsForbidden, identityText, ownNames, sourceText, type FieldChecking } from './check-event.js';
import type { EventFault } from './event-fault.js';

/** Characters of a reason, inclusive. */
export const reasonLengthMax = 1_000;

/** What corrects an event, as the log keeps it. */
export interface NewCorrection {
  readonly source: string;
  readonly id: string;
  /** Canonical JSON text of an object; null for a void. */
  readonly data: string | null;
  readonly reason: string | null;
}

export type CheckedCorrection = { readonly ok: true; readonly correction: NewCorrection } | { readonly ok: false; readonly faults: readonly EventFault[] };

/** Checks one parsed correction and names every fault: as a whole, then id, source, data, reason. Unknown fields are left aside. */
export function checkCorrection(input: unknown, kind: CorrectionKind): CheckedCorrection {
  if (!isJsonObject(input)) {
    return { ok: false, faults: [{ pointer: '', code: 'invalid_type', detail: 'What names an event must be a JSON object.' }] };
  }
  const faults: EventFault[] = [];
  const checking: FieldChecking = { names: ownNames, faults };
  const id = identityText(input, 'id', checking);
  const source = sourceText(input, checking);
  const data = kind === 'void' ? null : newData(input, checking);
  const reason = reasonText(input.reason, faults);
  return faults.length > 0 ? { ok: false, faults } : { ok: true, correction: { source, id, data, reason } };
}

/** It has to be said: leaving it out would empty the event. */
function newData(input: JsonObject, checking: FieldChecking): string {
  if (input.data !== undefined && input.data !== null) return eventData(input.data, checking);
  checking.faults.push({ pointer: '/data', code: 'missing_field', detail: 'An amendment needs the data that the event is to have.' });
  return '';
}

function reasonText(value: unknown, faults: EventFault[]): string | null {
  if (value === undefined || value === null) return null;
  const pointer = '/reason';
  if (typeof value !== 'string') {
    faults.push({ pointer, code: 'invalid_type', detail: 'reason must be a string.' });
    return null;
  }
  if (holdsForbidden(value)) faults.push({ pointer, code: 'invalid_string', detail: 'reason must not hold U+0000 or a lone surrogate.' });
  if (value.length > reasonLengthMax) faults.push({ pointer, code: 'too_long', detail: `reason may have ${reasonLengthMax} characters.` });
  return value;
}
