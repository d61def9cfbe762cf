import { Decimal } from '#domain';

/** A copy as the model sees it: `group` and `value` are JSON text, or null where the data has no such member. */
export interface ModelCopy {
  readonly id: string;
  readonly subject: string;
  readonly timeMs: number;
  readonly group: string | null;
  readonly value: string | null;
  readonly partition: number;
  readonly position: number;
}

export interface ModelQuestion {
  readonly aggregation: 'count' | 'sum' | 'min' | 'max' | 'avg' | 'unique_count' | 'latest';
  /** Only values above this number count, where it is given: `data.v > 2`, so texts and what is missing do not. */
  readonly above: number | null;
  /** The line of the answer that a copy belongs to; null where it belongs to none. */
  readonly line: (copy: ModelCopy) => string | null;
}

/** Usage as it has to be, in as few words as possible: the first copy of an identity counts, and nothing else does. */
export class ReferenceModel {
  private readonly counted = new Map<string, ModelCopy>();

  append(copy: ModelCopy): void {
    if (!this.counted.has(copy.id)) this.counted.set(copy.id, copy);
  }

  ask(question: ModelQuestion): Record<string, string> {
    const lines = new Map<string, ModelCopy[]>();
    for (const copy of this.counted.values()) {
      const line = question.line(copy);
      if (line !== null && counts(copy, question)) lines.set(line, [...(lines.get(line) ?? []), copy]);
    }
    return Object.fromEntries([...lines].map(([line, copies]) => [line, aggregate(copies, question.aggregation)]));
  }
}

function counts(copy: ModelCopy, { aggregation, above }: ModelQuestion): boolean {
  if (above !== null && !(copy.value !== null && /^-?\d/.test(copy.value) && new Decimal(copy.value).gt(above))) return false;
  if (aggregation === 'count') return true;
  if (aggregation === 'unique_count') return copy.value !== null && copy.value !== 'null';
  return decimalOf(copy) !== null;
}

/** A number, or a text of digits, with at most 20 digits before and 18 after the point. */
function decimalOf({ value }: ModelCopy): Decimal | null {
  const match = /^("?)(-?\d{1,20}(?:\.\d{1,18})?)\1$/.exec(value ?? '');
  return match === null ? null : new Decimal(match[2] ?? '');
}

function aggregate(copies: readonly ModelCopy[], aggregation: ModelQuestion['aggregation']): string {
  if (aggregation === 'count') return String(copies.length);
  if (aggregation === 'unique_count') return String(new Set(copies.map(({ value }) => textOf(value))).size);
  const inOrder = [...copies].sort((a, b) => a.timeMs - b.timeMs || a.position - b.position || a.partition - b.partition);
  const values = inOrder.map((copy) => decimalOf(copy) ?? new Decimal(0));
  const sum = values.reduce((total, value) => total.plus(value));
  if (aggregation === 'sum') return sum.toFixed();
  if (aggregation === 'avg') return sum.div(values.length).toDecimalPlaces(12, Decimal.ROUND_HALF_UP).toFixed();
  if (aggregation === 'latest') return values.at(-1)?.toFixed() ?? '';
  return (aggregation === 'min' ? Decimal.min(...values) : Decimal.max(...values)).toFixed();
}

/** The text of a value: a string's own, everything else as JSON has it. */
export function textOf(json: string | null): string {
  if (json === null || json === 'null') return '';
  return json.startsWith('"') ? (JSON.parse(json) as string) : json;
}
