import { assert, Fault, Turns } from '#platform';
import type { AccessQuestion, SnapshotOutcome } from './access-snapshot.js';

export interface SnapshotReadsOptions {
  /** One outcome for each question, in their order. */
  readonly load: (organizationId: string, questions: readonly AccessQuestion[]) => Promise<readonly SnapshotOutcome[]>;
}

interface Wanted {
  readonly question: AccessQuestion;
  readonly outcome: PromiseWithResolvers<SnapshotOutcome>;
}

/** Questions of one reading: its statements name each customer. */
const questionsMax = 200;
const organizationsAtOnce = 3;

/**
 * Reads what many ask of one organization together: while one reading runs, the questions that come gather for the next. So nobody is answered
 * by what was read before the question, and however many customers are asked about, the stores have a few statements at a time to answer.
 */
export class SnapshotReads {
  private readonly waiting = new Map<string, Map<string, Wanted>>();
  private readonly turns = new Turns(organizationsAtOnce);

  constructor(private readonly use: SnapshotReadsOptions) {}

  read(key: string, question: AccessQuestion): Promise<SnapshotOutcome> {
    const { organizationId } = question;
    const known = this.waiting.get(organizationId);
    const waiting = known ?? new Map<string, Wanted>();
    const wanted = waiting.get(key) ?? { question, outcome: Promise.withResolvers<SnapshotOutcome>() };
    waiting.set(key, wanted);
    if (known === undefined) {
      this.waiting.set(organizationId, waiting);
      void this.readAll(organizationId, waiting);
    }
    return wanted.outcome.promise;
  }

  private async readAll(organizationId: string, waiting: Map<string, Wanted>): Promise<void> {
    while (waiting.size > 0) await this.turns.take(() => this.readGroup(organizationId, taken(waiting)));
    this.waiting.delete(organizationId);
  }

  private async readGroup(organizationId: string, group: readonly Wanted[]): Promise<void> {
    try {
      const outcomes = await this.use.load(organizationId, group.map(({ question }) => question));
      assert(outcomes.length === group.length, 'Each question has its outcome.');
      for (const [index, { outcome }] of group.entries()) outcome.resolve(outcomes[index] as SnapshotOutcome);
    } catch (error) {
      // A store that is away fails each question; what else fails may be the fault of one, which must not hurt its neighbours.
      if (group.length === 1 || (error instanceof Fault && error.retryable)) for (const { outcome } of group) outcome.reject(error);
      else for (const wanted of group) await this.readGroup(organizationId, [wanted]);
    }
  }
}

function taken(waiting: Map<string, Wanted>): Wanted[] {
  const group: Wanted[] = [];
  for (const [key, wanted] of waiting) {
    if (group.length >= questionsMax) break;
    waiting.delete(key);
    group.push(wanted);
  }
  return group;
}
