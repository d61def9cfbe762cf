import type { EventsAnswerBody } from '#contracts';
import { Problem, type InputFault } from '#platform';

/** Faults that stand beside `rejected` once more where a single event was posted, as those of any other body do. */
export function nothingAccepted({ accepted, rejected }: EventsAnswerBody): Problem {
  const [first] = rejected;
  const errors: readonly InputFault[] | undefined = rejected.length === 1 ? first?.errors : undefined;
  const detail = rejected.length === 1 ? `The event was refused. ${first?.detail ?? ''}` : `None of the ${rejected.length} events was accepted.`;
  return new Problem({ status: 422, code: 'nothing_accepted', detail, errors, extensions: { accepted, rejected } });
}
