import { type Decimal, toPlain, ZERO } from '../money/decimal.js';

/** What a step says: a sentence for people, and the numbers in it for who writes the sentence in another language. */
export interface Words {
  readonly detail: string;
  readonly values: Readonly<Record<string, string>>;
}

/**
 * One step of a rating in words and numbers. Quantity and amount are those after the step; numbers are in shortest plain
 * notation. `step` and the names of `values` are stable, so that a program can tell the steps apart and translate them.
 */
export interface TraceStep extends Words {
  readonly step: string;
  readonly quantity: string;
  /** Major units, unrounded. */
  readonly amount: string;
  /** What the step adds to the amount, negative where it takes off; over all steps it sums to the unrounded amount. */
  readonly adds: string;
}

/** Takes the steps of a rating as they happen. Made lazily, since most ratings (one per day) want no words. */
export type Note = (make: () => TraceStep) => void;

export const noNote: Note = () => {};

export function traceStep(options: { step: string; words: Words; quantity: Decimal; amount: Decimal; adds?: Decimal }): TraceStep {
  const { step, words, quantity, amount, adds = ZERO } = options;
  return { step, detail: words.detail, values: words.values, quantity: toPlain(quantity), amount: toPlain(amount), adds: toPlain(adds) };
}

/** The same notes with a group's name before each detail. */
export function noteFor(note: Note, groupName: string): Note {
  return (make) => {
    note(() => {
      const step = make();
      return { ...step, detail: `${groupName}: ${step.detail}`, values: { ...step.values, group: groupName } };
    });
  };
}
