import type { DeadLetterRecord, RefusedEventBody } from '#contracts';
import { defaultSource, isIdentityText } from '#domain';
import type { ReceivedEvent } from './received-batch.js';

const payloadSizeMax = 65_536;

/** The dead letter of an event that was refused at ingest, with what was sent. */
export function deadLetterOf(options: {
  readonly id: string;
  readonly organizationId: string;
  readonly receivedAt: string;
  readonly refusal: RefusedEventBody;
  readonly received: ReceivedEvent;
  readonly payload: string;
}): DeadLetterRecord {
  const { refusal, received } = options;
  return {
    v: 1,
    id: options.id,
    organization: options.organizationId,
    kind: 'refused',
    code: refusal.code,
    detail: refusal.detail,
    errors: refusal.errors,
    received_at: options.receivedAt,
    payload: cutToBytes(options.payload, payloadSizeMax),
    counted_payload: null,
    event_source: received.identity?.source ?? sourceOf(received.value),
    event_id: refusal.id,
  };
}

function sourceOf(value: unknown): string | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  const { source } = value as { source?: unknown };
  if (source === undefined || source === null) return defaultSource;
  return isIdentityText(source) ? source : null;
}

/** The longest beginning of the text that has at most so many bytes of UTF-8. */
function cutToBytes(text: string, sizeMax: number): string {
  if (text.length * 3 <= sizeMax) return text;
  const bytes = Buffer.from(text.slice(0, sizeMax), 'utf8');
  if (bytes.length <= sizeMax && text.length <= sizeMax) return text;
  let end = Math.min(sizeMax, bytes.length);
  // Back to the first byte of the character that would be cut through.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.toString('utf8', 0, end);
}
