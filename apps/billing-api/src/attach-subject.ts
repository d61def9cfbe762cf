import type { EntityManager } from 'typeorm';
import { customerSubjectTable, insertRow, readAttachments, type Attachment, type AttachmentRow } from '#persistence';
import { accepted, type Outcome } from '#platform';
import { decideAttachment, type AttachRefusal } from './decide-attachment.js';

export interface AttachRequest {
  readonly organizationId: string;
  readonly customerId: string;
  readonly subject: string;
  readonly effectiveAt: Temporal.Instant | null;
  /** Business time. */
  readonly now: Temporal.Instant;
  /** System time. */
  readonly createdAt: Temporal.Instant;
}

/** Holds subjects until the transaction ends, so that two requests can't both find one free. Sorted, so that they can't block each other. */
export async function lockSubjects(manager: EntityManager, organizationId: string, subjects: readonly string[]): Promise<void> {
  await manager.query(
    `select pg_advisory_xact_lock(hashtextextended(subject, 7420)) from (select $1 || chr(1) || s as subject from unnest($2::text[]) s order by hashtextextended($1 || chr(1) || s, 7420)) locks`,
    [organizationId, subjects],
  );
}

/** Gives a subject to a customer. The caller holds the subject. */
export async function attachSubject(manager: EntityManager, request: AttachRequest): Promise<Outcome<Attachment, AttachRefusal>> {
  const { organizationId, customerId, subject } = request;
  const history = await readAttachments(manager, { subjects: [subject] });
  const decision = decideAttachment({ ...request, history });
  if (!decision.ok) return decision;
  const { ends, begins, keeps } = decision.value;
  if (keeps !== null) return accepted(keeps);
  if (ends !== null) {
    await manager.query(
      `update customer_subjects set to_at = $3 where organization_id = $1 and subject = $2 and to_at is null`, [organizationId, subject, ends.toString()]);
  }
  const attachment = { customerId, subject, fromAt: begins, toAt: null };
  await insertRow<AttachmentRow>(manager, customerSubjectTable, { ...attachment, id: crypto.randomUUID(), organizationId, createdAt: request.createdAt });
  return accepted(attachment);
}

/** Ends what a customer has of these subjects from `at` on; null is all of them. What was to begin later never does. */
export async function detachSubjects(manager: EntityManager, from: { customerId: string; subjects: readonly string[] | null; at: Temporal.Instant }): Promise<void> {
  await manager.query(
    `delete from customer_subjects where customer_id = $1 and ($2::text[] is null or subject = any($2)) and to_at is null and from_at >= $3`,
    [from.customerId, from.subjects, from.at.toString()],
  );
  await manager.query(
    `update customer_subjects set to_at = $3 where customer_id = $1 and ($2::text[] is null or subject = any($2)) and to_at is null`,
    [from.customerId, from.subjects, from.at.toString()],
  );
}

/** Lets the subscriptions of all who have or had these subjects be looked at anew, closed periods too: what is attached reaches back. */
export async function noteReattached(manager: EntityManager, subjects: readonly string[]): Promise<void> {
  if (subjects.length === 0) return;
  await manager.query(
    `update subscriptions set revision = revision + 1 where customer_id in (select customer_id from customer_subjects where subject = any($1::text[]))`, [subjects]);
}
