import { hash } from 'node:crypto';
import type { MeterUsageQuery } from '#contracts';
import { LiveCopies, type LivePlace } from '#persistence';
import { accepted, refused, type Clock, type Outcome } from '#platform';
import { nothingWhileAway } from './live-events.js';
import type { MeterUsage, MeterUsageCode, ReadMeterUsage } from './read-meter-usage.js';

/** A meter's usage as it is now; `digest` is equal for equal rows. */
export interface LiveUsageState {
  readonly usage: MeterUsage;
  readonly digest: string;
}

export type LiveUsageStream = (signal: AbortSignal) => AsyncGenerator<LiveUsageState | null>;

interface Question {
  readonly organizationId: string;
  readonly meter: string;
  readonly query: MeterUsageQuery;
}

const lookEveryMs = 1_000;
/** What changes usage without a new event, a void or a moved subject, is seen after this. */
const readAgainMs = 15_000;
/** The whole answer is sent at each change. */
const rowsMax = 1_000;

/** The answer to a usage query, again whenever it changes; null wherever it stays as it is. */
export class LiveUsage {
  constructor(private readonly use: { readonly live: LiveCopies; readonly readMeterUsage: ReadMeterUsage; readonly clock: Clock }) {}

  /** `known` is the digest of the answer that the reader has already. */
  async open(question: Question, known: string | null): Promise<Outcome<LiveUsageStream, MeterUsageCode>> {
    const first = await this.use.readMeterUsage.execute(question, question.query);
    if (!first.ok) return first;
    if (first.value.rows.length > rowsMax) return refused('result_too_large', `A live answer has at most ${rowsMax} rows. Ask for a shorter range, wider windows, or the greatest groups by limit.`);
    return accepted((signal) => this.follow({ question, known, first: first.value }, signal));
  }

  /** Ends where the question can not be answered any more: whoever asks again hears why. */
  private async *follow({ question, known, first }: { question: Question; known: string | null; first: MeterUsage }, signal: AbortSignal): AsyncGenerator<LiveUsageState | null> {
    let [last, usage]: [string | null, MeterUsage | null] = [known, first];
    let place: LivePlace = new Map();
    while (!signal.aborted) {
      const digest = usage === null ? last : digestOf(usage);
      if (usage !== null && digest !== null && digest !== last) yield { usage, digest };
      last = digest;
      place = yield* this.untilChanged(question.organizationId, { place, signal });
      if (signal.aborted) return;
      const next = await this.use.readMeterUsage.execute(question, question.query).catch(nothingWhileAway);
      if (next !== null && (!next.ok || next.value.rows.length > rowsMax)) return;
      usage = next?.value ?? null;
    }
  }

  private async *untilChanged(organizationId: string, { place, signal }: { place: LivePlace; signal: AbortSignal }): AsyncGenerator<null, LivePlace> {
    for (let waitedMs = 0; waitedMs < readAgainMs && !signal.aborted; waitedMs += lookEveryMs) {
      const now = await this.use.live.frontier(organizationId).catch(nothingWhileAway);
      if (now !== null && LiveCopies.isBehind(place, now)) return now;
      yield null;
      await this.use.clock.sleep(lookEveryMs, signal).catch(() => undefined);
    }
    return place;
  }
}

function digestOf({ rows, groupsTotal }: MeterUsage): string {
  const text = JSON.stringify([groupsTotal, rows.map((row) => [row.windowStart.toString(), row.customerId, row.subject, row.group, row.isRest, row.value])]);
  return hash('sha256', text, 'base64url').slice(0, 22);
}
