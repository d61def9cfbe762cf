import { hash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  encodeDeadLetterRecord, encodeUsageEventRecord, topics, usageEventKey, type EventsAnswerBody, type RefusedEventBody,
} from '#contracts';
import { checkEvent, isIdentityText, payloadHashInput, textOfInstant, toMicroInstant, type EventFault, type NewUsageEvent, type TimeBounds } from '#domain';
import { assert, type Clock, type EventLog, type Ids, type NewLogRecord } from '#platform';
import { deadLetterOf } from './dead-letter-of.js';
import type { ReceivedBatch, ReceivedEvent } from './received-batch.js';

export interface AcceptEventsDependencies {
  readonly log: EventLog;
  readonly clock: Clock;
  readonly ids: Ids;
  /** Now in the organization's business time, where a test clock may stand. */
  readonly businessNow: (organizationId: string) => Promise<Temporal.Instant>;
  /** How long the organization keeps raw events; null is for ever. Cached by whoever gives it. */
  readonly rawRetentionSeconds: (organizationId: string) => Promise<number | null>;
  /** Hears how many events of a request were accepted and refused, once both are durable. */
  readonly onAnswered?: ((answer: { readonly accepted: number; readonly refused: number }) => void) | undefined;
}

export interface AcceptEventsCommand {
  readonly organizationId: string;
  readonly batch: ReceivedBatch;
  /**
   * Whether refused events go to the dead letters also where no event was acceptable. Where not, the answer refuses the
   * request as a whole, and the sender still has it.
   */
  readonly keepsAllRefused: boolean;
}

/** What became of the events of a request. */
export interface AcceptedBatch extends EventsAnswerBody {
  /** Those that were accepted, in the order of the request. */
  readonly events: readonly NewUsageEvent[];
  /** Receipt in system time, RFC 3339, six digits. */
  readonly receivedAt: string;
}

const secondsAheadMax = 3_600;
/** Events checked before other requests get their turn. */
export const eventsPerTurnMax = 500;
const detailFaultsMax = 3;

interface Receipt {
  readonly organizationId: string;
  readonly receivedAt: string;
  readonly bounds: TimeBounds;
}

/**
 * Checks each event by itself, appends the good ones to the log in one call and the refused ones to the dead letters.
 * Once it resolves, both are durable. The dead letters go first, so that a log that can't take more leaves no event
 * counted whose request was answered with 503.
 */
export class AcceptEvents {
  constructor(private readonly deps: AcceptEventsDependencies) {}

  async execute(command: AcceptEventsCommand): Promise<EventsAnswerBody> {
    const { accepted, rejected } = await this.accept(command);
    return { accepted, rejected };
  }

  /** The same, with the events that were accepted, for answers that repeat them. */
  async accept({ organizationId, batch, keepsAllRefused }: AcceptEventsCommand): Promise<AcceptedBatch> {
    const receipt = await this.receiptOf(organizationId);
    const events: NewUsageEvent[] = [];
    const records: NewLogRecord[] = [];
    const rejected: RefusedEventBody[] = [];
    for (let index = 0; index < batch.events.length; index += 1) {
      if (index > 0 && index % eventsPerTurnMax === 0) await nextTurn();
      const received = batch.events[index] as ReceivedEvent;
      const checked = checkReceived(received, receipt.bounds);
      if (checked.ok) {
        events.push(checked.event);
        records.push(recordOf(checked.event, receipt));
      } else {
        rejected.push(refusedBody(index, received, checked.faults));
      }
    }
    assert(events.length + rejected.length === batch.events.length, 'Every event must be accepted or refused.');
    if (rejected.length > 0 && (events.length > 0 || keepsAllRefused)) await this.keepRefused(batch, rejected, receipt);
    if (events.length > 0) await this.deps.log.append(topics.usageEvents, records);
    this.deps.onAnswered?.({ accepted: events.length, refused: rejected.length });
    return { accepted: events.length, rejected, events, receivedAt: receipt.receivedAt };
  }

  private async receiptOf(organizationId: string): Promise<Receipt> {
    return { organizationId, receivedAt: textOfInstant(toMicroInstant(this.deps.clock.now())), bounds: await timeBounds(organizationId, this.deps) };
  }

  private async keepRefused(batch: ReceivedBatch, rejected: readonly RefusedEventBody[], receipt: Receipt): Promise<void> {
    const letters = rejected.map((refusal) => {
      const letter = deadLetterOf({
        id: this.deps.ids.make('dl'),
        organizationId: receipt.organizationId,
        receivedAt: receipt.receivedAt,
        refusal,
        received: batch.events[refusal.index] as ReceivedEvent,
        payload: batch.payloadOf(refusal.index),
      });
      return { key: receipt.organizationId, value: encodeDeadLetterRecord(letter) };
    });
    await this.deps.log.append(topics.deadLetters, letters);
  }
}

/** Which times the organization's events may have now, and which one those have that come without. */
export async function timeBounds(organizationId: string, deps: Pick<AcceptEventsDependencies, 'businessNow' | 'rawRetentionSeconds'>): Promise<TimeBounds> {
  const [businessNow, retentionSeconds] = await Promise.all([deps.businessNow(organizationId), deps.rawRetentionSeconds(organizationId)]);
  const now = toMicroInstant(businessNow);
  return {
    receipt: textOfInstant(now),
    latest: { seconds: now.seconds + secondsAheadMax, micros: now.micros },
    oldest: retentionSeconds === null ? null : { seconds: now.seconds - retentionSeconds, micros: now.micros },
  };
}

type Checked = { readonly ok: true; readonly event: NewUsageEvent } | { readonly ok: false; readonly faults: readonly EventFault[] };

export function checkReceived({ value, faults, names }: ReceivedEvent, bounds: TimeBounds): Checked {
  if (faults === undefined) return checkEvent(value, bounds, names);
  if (value === undefined) return { ok: false, faults };
  const checked = checkEvent(value, bounds, names);
  // What the format named already is not named twice: a header that can't be decoded is no missing field.
  const others = checked.ok ? [] : checked.faults.filter(({ pointer }) => faults.every((fault) => fault.pointer !== pointer));
  return { ok: false, faults: [...faults, ...others] };
}

function recordOf(event: NewUsageEvent, { organizationId, receivedAt }: Receipt): NewLogRecord {
  const value = encodeUsageEventRecord({
    v: 1,
    kind: 'event',
    organization: organizationId,
    source: event.source,
    id: event.id,
    type: event.type,
    subject: event.subject,
    time: event.time,
    time_given: event.timeGiven,
    received_at: receivedAt,
    data: event.data,
    payload_hash: payloadHashOf(event),
  });
  return { key: usageEventKey({ organization: organizationId, source: event.source, id: event.id }), value };
}

export function payloadHashOf(event: NewUsageEvent): string {
  return hash('sha256', payloadHashInput(event), 'hex');
}

export function refusedBody(index: number, received: ReceivedEvent, faults: readonly EventFault[]): RefusedEventBody {
  const [first] = faults;
  assert(first !== undefined, 'A refused event must have a fault.');
  return {
    index,
    ...(received.line === undefined ? {} : { line: received.line }),
    id: received.identity?.id ?? readableId(received.value),
    code: first.code,
    detail: faults.slice(0, detailFaultsMax).map((fault) => fault.detail).join(' '),
    errors: [...faults],
  };
}

/** The sender's id where it can stand as one, so that the refusal is found again. */
function readableId(value: unknown): string | null {
  const id = typeof value === 'object' && value !== null ? (value as { id?: unknown }).id : undefined;
  return isIdentityText(id) ? id : null;
}
