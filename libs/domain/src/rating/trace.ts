import { type Decimal, toPlain } from '../money/decimal.js';

/** One step of a rating in words and numbers. Both numbers are those after the step, in shortest plain notation. */
export interface TraceStep {
  readonly step: string;
  readonly detail: string;
  readonly quantity: string;
  /** Major units, unrounded. */
  readonly amount: string;
}

/** Takes the steps of a rating as they happen. Made lazily, since most ratings (one per day) want no words. */
export type Note = (make: () => TraceStep) => void;

export const noNote: Note = () => {};

export function traceStep(options: { step: string; detail: string; quantity: Decimal; amount: Decimal }): TraceStep {
  return { step: options.step, detail: options.detail, quantity: toPlain(options.quantity), amount: toPlain(options.amount) };
}

/** The same notes with a group's name before each detail. */
export function noteFor(note: Note, groupName: string): Note {
  return (make) => {
    note(() => {
      const step = make();
      return { ...step, detail: `${groupName}: ${step.detail}` };
    });
  };
}
