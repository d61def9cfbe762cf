import { z } from 'zod';

// What schemas say of a fault by themselves is written for programmers. Here it becomes what to do about it, for all schemas; what a schema says of its own stays.

type Fault = Parameters<z.core.$ZodErrorMap>[0];

const nouns: Readonly<Record<string, string>> = { string: 'a text', number: 'a number', int: 'a whole number', boolean: 'true or false', array: 'a list', tuple: 'a list', object: 'an object', record: 'an object', null: 'null' };

z.config({ customError: (fault) => faultSentence(fault) });

/** Undefined where nothing better is known, and for what is missing, which is a fault of its own. */
function faultSentence(fault: Fault): string | undefined {
  if (fault.input === undefined) return undefined;
  if (fault.code === 'invalid_type') return `This must be ${nounOf(fault.expected)}, and is ${kindOf(fault.input)}.`;
  if (fault.code === 'invalid_value') return `This must be ${either(fault.values.map(textOf))}.`;
  if (fault.code === 'invalid_union') return unionSentence(fault);
  if (fault.code === 'too_small') return boundSentence({ origin: fault.origin, bound: fault.minimum, isInclusive: fault.inclusive ?? true, isMost: false });
  if (fault.code === 'too_big') return boundSentence({ origin: fault.origin, bound: fault.maximum, isInclusive: fault.inclusive ?? true, isMost: true });
  return undefined;
}

/** Of a choice by a field, the values that it may have; of any other, what each branch takes. */
function unionSentence(fault: Fault): string | undefined {
  const discriminator = fault['discriminator'];
  if (typeof discriminator === 'string') {
    const options = fault['options'];
    return Array.isArray(options) ? `This must be ${either(options.map(textOf))}.` : undefined;
  }
  const branches = (fault['errors'] ?? []) as readonly (readonly z.core.$ZodIssue[])[];
  // A branch whose fault lies deeper, or is a rule's, says more than its shape would.
  const taken = branches.map((issues) => (issues.length === 1 && issues[0]?.path.length === 0 ? takenBy(issues[0]) : null));
  return taken.length === 0 || taken.includes(null) ? undefined : `This must be ${either(taken.flatMap((words) => words ?? []))}.`;
}

function takenBy(issue: z.core.$ZodIssue): string[] | null {
  if (issue.code === 'invalid_type') return [nounOf(issue.expected)];
  return issue.code === 'invalid_value' ? issue.values.map(textOf) : null;
}

function boundSentence({ origin, bound, isInclusive, isMost }: { origin: string; bound: number | bigint; isInclusive: boolean; isMost: boolean }): string {
  const most = isMost ? 'at most' : 'at least';
  if (origin === 'string') return `This must have ${most} ${bound} ${bound === 1 ? 'character' : 'characters'}.`;
  if (origin === 'array' || origin === 'set' || origin === 'object' || origin === 'map') return `This must have ${most} ${bound} ${bound === 1 ? 'item' : 'items'}.`;
  return `This must be ${isInclusive ? most : isMost ? 'less than' : 'greater than'} ${bound}.`;
}

function nounOf(expected: string): string {
  return nouns[expected] ?? expected;
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'number' && !Number.isFinite(value) ? 'no number' : nounOf(typeof value);
}

function textOf(value: unknown): string {
  return typeof value === 'bigint' ? value.toString() : JSON.stringify(value);
}

function either(words: readonly string[]): string {
  const distinct = [...new Set(words)];
  return distinct.length < 2 ? distinct.join('') : `${distinct.slice(0, -1).join(', ')} or ${distinct.at(-1)}`;
}
