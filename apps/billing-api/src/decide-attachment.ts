import type { Attachment } from '#persistence';
import { accepted, refused, type Outcome } from '#platform';

export type AttachRefusal = 'subject_taken' | 'effective_at_too_early';

export interface AttachmentDecision {
  /** Where the present holder's attachment ends; null where there is none. */
  readonly ends: Temporal.Instant | null;
  /** Where the new one begins; null is from ever. */
  readonly begins: Temporal.Instant | null;
  /** The customer has it already, so nothing changes. */
  readonly keeps: Attachment | null;
}

/**
 * From when a subject is to be a customer's. The first attachment reaches back to ever, unless an instant is given; a subject that
 * another customer has needs one, and goes over then; one that nobody has any more is attached from then, or from now.
 */
export function decideAttachment(request: {
  readonly customerId: string;
  readonly history: readonly Attachment[];
  readonly effectiveAt: Temporal.Instant | null;
  readonly now: Temporal.Instant;
}): Outcome<AttachmentDecision, AttachRefusal> {
  const { history, effectiveAt, now } = request;
  const holder = history.find((attachment) => attachment.toAt === null);
  if (holder !== undefined) return holder.customerId === request.customerId ? keep(holder, effectiveAt) : move(holder, effectiveAt);
  if (history.length === 0) return accepted({ ends: null, begins: effectiveAt, keeps: null });
  const freeFrom = history.reduce<Temporal.Instant | null>((latest, { toAt }) => (latest === null || (toAt !== null && Temporal.Instant.compare(toAt, latest) > 0) ? toAt : latest), null);
  const begins = effectiveAt ?? now;
  if (freeFrom !== null && Temporal.Instant.compare(begins, freeFrom) < 0) return tooEarly(freeFrom);
  return accepted({ ends: null, begins, keeps: null });
}

function keep(holder: Attachment, effectiveAt: Temporal.Instant | null): Outcome<AttachmentDecision, AttachRefusal> {
  const isEarlier = effectiveAt !== null && holder.fromAt !== null && Temporal.Instant.compare(effectiveAt, holder.fromAt) < 0;
  return isEarlier ? tooEarly(holder.fromAt) : accepted({ ends: null, begins: null, keeps: holder });
}

function move(holder: Attachment, effectiveAt: Temporal.Instant | null): Outcome<AttachmentDecision, AttachRefusal> {
  if (effectiveAt === null) {
    const detail = 'Another customer has this subject. Say with effective_at from when it is to be this one\'s.';
    return { ...refused('subject_taken', detail), extensions: { holder: { customer: holder.customerId }, allowed: ['effective_at'] } };
  }
  if (holder.fromAt !== null && Temporal.Instant.compare(effectiveAt, holder.fromAt) <= 0) return tooEarly(holder.fromAt);
  return accepted({ ends: effectiveAt, begins: effectiveAt, keeps: null });
}

function tooEarly(after: Temporal.Instant): Outcome<never, 'effective_at_too_early'> {
  const detail = `Until ${after.toString()} the subject belongs to its earlier attachments, which never change; choose a later instant.`;
  return refused('effective_at_too_early', detail, [{ pointer: '/effective_at', code: 'effective_at_too_early', detail }]);
}
