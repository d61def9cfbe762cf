import { setImmediate as nextTurn } from 'node:timers/promises';
import { encodeUsageCorrectionRecord, topics, usageEventKey, type EventsAnswerBody, type RefusedEventBody } from '#contracts';
import { checkCorrection, textOfInstant, toMicroInstant, type CorrectionKind, type NewCorrection } from '#domain';
import type { NewLogRecord } from '#platform';
import { eventsPerTurnMax, refusedBody, type AcceptEventsDependencies } from './accept-events.js';
import type { ReceivedBatch, ReceivedEvent } from './received-batch.js';

export interface AcceptCorrectionsCommand {
  readonly organizationId: string;
  /** Who asks; it is kept with the correction. */
  readonly credentialId: string;
  readonly kind: CorrectionKind;
  readonly batch: ReceivedBatch;
}

type Receipt = Pick<AcceptCorrectionsCommand, 'organizationId' | 'credentialId' | 'kind'> & { readonly receivedAt: string; readonly sealedBefore: string | null };

/**
 * Puts voids and amendments into the log, each under its event's key, so that they meet the event in order. Whether there
 * is such an event is known only there, so what is well-formed is accepted. Refused ones are no dead letters: they stand in
 * the answer, and posting one as an event would be something else.
 */
export class AcceptCorrections {
  constructor(private readonly deps: Pick<AcceptEventsDependencies, 'log' | 'clock' | 'businessNow' | 'rawRetentionSeconds'>) {}

  async execute({ batch, ...command }: AcceptCorrectionsCommand): Promise<EventsAnswerBody> {
    const receipt = await this.receiptOf(command);
    const records: NewLogRecord[] = [];
    const rejected: RefusedEventBody[] = [];
    for (const [index, received] of batch.events.entries()) {
      if (index > 0 && index % eventsPerTurnMax === 0) await nextTurn();
      const checked = check(received, command.kind);
      if (checked.ok) records.push(recordOf(checked.correction, receipt));
      else rejected.push(refusedBody(index, received, checked.faults));
    }
    if (records.length > 0) await this.deps.log.append(topics.usageEvents, records);
    return { accepted: records.length, rejected };
  }

  private async receiptOf(command: Omit<AcceptCorrectionsCommand, 'batch'>): Promise<Receipt> {
    const { organizationId } = command;
    const [businessNow, retentionSeconds] = await Promise.all([this.deps.businessNow(organizationId), this.deps.rawRetentionSeconds(organizationId)]);
    return {
      ...command,
      receivedAt: textOf(this.deps.clock.now()),
      sealedBefore: retentionSeconds === null ? null : textOf(businessNow.subtract({ seconds: retentionSeconds })),
    };
  }
}

function check({ value, faults }: ReceivedEvent, kind: CorrectionKind): ReturnType<typeof checkCorrection> {
  return faults === undefined ? checkCorrection(value, kind) : { ok: false, faults };
}

function recordOf({ source, id, data, reason }: NewCorrection, { organizationId, credentialId, kind, receivedAt, sealedBefore }: Receipt): NewLogRecord {
  const value = encodeUsageCorrectionRecord({
    v: 2, kind, organization: organizationId, source, id, data, reason, made_by: credentialId, received_at: receivedAt, sealed_before: sealedBefore,
  });
  return { key: usageEventKey({ organization: organizationId, source, id }), value };
}

function textOf(instant: Temporal.Instant): string {
  return textOfInstant(toMicroInstant(instant));
}
