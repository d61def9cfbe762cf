import type { CodePointRange, Pattern } from './pattern.js';

/** What may be done next; numbers are places in the program. */
type Step =
  | { readonly kind: 'set'; readonly ranges: readonly CodePointRange[]; readonly next: number }
  | { readonly kind: 'place'; readonly at: 'begin' | 'end'; readonly next: number }
  | { readonly kind: 'either'; readonly next: readonly number[] }
  | { readonly kind: 'found' };

/** Longer texts, in bytes of UTF-8, are not searched: they make what is asked of them unknown. */
export const matchedSizeMax = 8_192;

/**
 * Whether the pattern is found anywhere in the text. All ways are followed at once, a character at a time, so that no pattern
 * takes longer than its steps times the text's characters.
 */
export function matchesPattern(pattern: Pattern, text: string): boolean {
  const steps: Step[] = [{ kind: 'found' }];
  const start = compile(pattern, { steps, next: 0 });
  const characters = [...text].map((character) => character.codePointAt(0) ?? 0);
  let current: ReadonlySet<number> = new Set();
  for (let at = 0; at <= characters.length; at += 1) {
    const reached = follow(steps, [...current, start], { isBegin: at === 0, isEnd: at === characters.length });
    if (reached.has(0)) return true;
    current = advance(steps, reached, characters[at] ?? -1);
  }
  return false;
}

/** Adds the steps of a pattern in front of `next`; gives the place of the first. */
function compile(pattern: Pattern, to: { readonly steps: Step[]; readonly next: number }): number {
  const { steps, next } = to;
  const add = (step: Step): number => steps.push(step) - 1;
  switch (pattern.kind) {
    case 'set':
      return add({ kind: 'set', ranges: pattern.ranges, next });
    case 'begin':
    case 'end':
      return add({ kind: 'place', at: pattern.kind, next });
    case 'sequence':
      return pattern.items.reduceRight((place, item) => compile(item, { steps, next: place }), next);
    case 'choice':
      return add({ kind: 'either', next: pattern.options.map((option) => compile(option, to)) });
    case 'repeat': {
      const { item, min, max } = pattern;
      let place = next;
      if (max === null) {
        const loop = add({ kind: 'either', next: [] });
        steps[loop] = { kind: 'either', next: [compile(item, { steps, next: loop }), next] };
        place = loop;
      }
      for (let count = min; count < (max ?? min); count += 1) place = add({ kind: 'either', next: [compile(item, { steps, next: place }), next] });
      for (let count = 0; count < min; count += 1) place = compile(item, { steps, next: place });
      return place;
    }
  }
}

/** All steps that are reached without taking a character. */
function follow(steps: readonly Step[], from: readonly number[], text: { isBegin: boolean; isEnd: boolean }): ReadonlySet<number> {
  const reached = new Set<number>();
  const waiting = [...from];
  for (let place = waiting.pop(); place !== undefined; place = waiting.pop()) {
    if (reached.has(place)) continue;
    reached.add(place);
    const step = steps[place];
    if (step?.kind === 'either') waiting.push(...step.next);
    if (step?.kind === 'place' && (step.at === 'begin' ? text.isBegin : text.isEnd)) waiting.push(step.next);
  }
  return reached;
}

function advance(steps: readonly Step[], from: ReadonlySet<number>, codePoint: number): ReadonlySet<number> {
  const next = new Set<number>();
  for (const place of from) {
    const step = steps[place];
    if (step?.kind === 'set' && step.ranges.some(([first, last]) => codePoint >= first && codePoint <= last)) next.add(step.next);
  }
  return next;
}
