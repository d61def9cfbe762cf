/** A range of code points, both ends included. */
export type CodePointRange = readonly [first: number, last: number];

/**
 * A regular expression of the part of RE2's language that `parsePattern` reads. It is matched here by `matchesPattern`, and by
 * ClickHouse through `re2Of`: both are made of this, so that they can't differ in what an abbreviation stands for.
 */
export type Pattern =
  | { readonly kind: 'set'; readonly ranges: readonly CodePointRange[] }
  | { readonly kind: 'begin' | 'end' }
  | { readonly kind: 'sequence'; readonly items: readonly Pattern[] }
  | { readonly kind: 'choice'; readonly options: readonly Pattern[] }
  | { readonly kind: 'repeat'; readonly item: Pattern; readonly min: number; readonly max: number | null };

export type ParsedPattern = { readonly ok: true; readonly pattern: Pattern } | { readonly ok: false; readonly detail: string };

const patternLengthMax = 500;
/** Steps that a pattern may have with its repetitions written out; each may be taken at each character of a text. */
const stepsMax = 500;
const groupsMax = 20;
const codePointMax = 0x10ffff;

const digits: readonly CodePointRange[] = [[0x30, 0x39]];
const wordCharacters: readonly CodePointRange[] = [[0x30, 0x39], [0x41, 0x5a], [0x5f, 0x5f], [0x61, 0x7a]];
/** As RE2 has it: no vertical tab, and none of Unicode's other blanks. */
const blanks: readonly CodePointRange[] = [[0x09, 0x0a], [0x0c, 0x0d], [0x20, 0x20]];
const classes: Readonly<Record<string, readonly CodePointRange[]>> = {
  d: digits, D: complement(digits), w: wordCharacters, W: complement(wordCharacters), s: blanks, S: complement(blanks),
};
const controls: Readonly<Record<string, number>> = { n: 0x0a, t: 0x09, r: 0x0d, f: 0x0c };

class PatternError extends Error {}

/** Reads a pattern: characters, `.`, `[…]`, `\d \w \s`, groups, `|`, `* + ? {n,m}`, `^` and `$`. Everything else is refused with its place. */
export function parsePattern(text: string): ParsedPattern {
  if (text.length > patternLengthMax) return { ok: false, detail: `a pattern has at most ${patternLengthMax} characters` };
  try {
    const pattern = new PatternParser([...text]).parse();
    return stepsOf(pattern) > stepsMax ? { ok: false, detail: `its repetitions make more than ${stepsMax} steps` } : { ok: true, pattern };
  } catch (error) {
    if (error instanceof PatternError) return { ok: false, detail: error.message };
    throw error;
  }
}

/** The pattern in RE2's words. */
export function re2Of(pattern: Pattern): string {
  switch (pattern.kind) {
    case 'set':
      return `[${pattern.ranges.map(([first, last]) => `\\x{${first.toString(16)}}-\\x{${last.toString(16)}}`).join('')}]`;
    case 'begin':
      return '^';
    case 'end':
      return '\\z';
    case 'sequence':
      return `(?:${pattern.items.map(re2Of).join('')})`;
    case 'choice':
      return `(?:${pattern.options.map(re2Of).join('|')})`;
    case 'repeat':
      return `(?:${re2Of(pattern.item)}){${pattern.min},${pattern.max ?? ''}}`;
  }
}

function stepsOf(pattern: Pattern): number {
  switch (pattern.kind) {
    case 'set':
    case 'begin':
    case 'end':
      return 1;
    case 'sequence':
      return pattern.items.reduce((sum, item) => sum + stepsOf(item), 1);
    case 'choice':
      return pattern.options.reduce((sum, option) => sum + stepsOf(option) + 1, 1);
    case 'repeat':
      return (stepsOf(pattern.item) + 1) * Math.max(pattern.max ?? pattern.min + 1, 1);
  }
}

/** All other code points. Surrogates are none: texts are well-formed. */
function complement(ranges: readonly CodePointRange[]): CodePointRange[] {
  const others: CodePointRange[] = [];
  let next = 0;
  for (const [first, last] of [...ranges, [0xd800, 0xdfff] as const, [codePointMax + 1, codePointMax + 1] as const].toSorted(([a], [b]) => a - b)) {
    if (first > next) others.push([next, first - 1]);
    next = Math.max(next, last + 1);
  }
  return others;
}

class PatternParser {
  private index = 0;
  private groups = 0;

  constructor(private readonly characters: readonly string[]) {}

  parse(): Pattern {
    const pattern = this.choice();
    if (this.index < this.characters.length) throw this.error('this ")" has no "(" before it');
    return pattern;
  }

  private get next(): string | undefined {
    return this.characters[this.index];
  }

  private take(character: string): boolean {
    if (this.next !== character) return false;
    this.index += 1;
    return true;
  }

  private error(detail: string): PatternError {
    return new PatternError(`${detail}, at its character ${this.index + 1}`);
  }

  private choice(): Pattern {
    const options = [this.sequence()];
    while (this.take('|')) options.push(this.sequence());
    return options.length === 1 ? (options[0] as Pattern) : { kind: 'choice', options };
  }

  private sequence(): Pattern {
    const items: Pattern[] = [];
    while (this.next !== undefined && this.next !== '|' && this.next !== ')') items.push(this.repeated());
    return { kind: 'sequence', items };
  }

  private repeated(): Pattern {
    const item = this.item();
    const bounds = this.bounds();
    if (bounds === null) return item;
    if (item.kind === 'begin' || item.kind === 'end') throw this.error('a place can not be repeated');
    this.take('?'); // Lazy or not, the same texts match.
    if (this.next !== undefined && '*+?{'.includes(this.next)) throw this.error(`"${this.next}" repeats what is repeated already`);
    return { kind: 'repeat', item, ...bounds };
  }

  private bounds(): { min: number; max: number | null } | null {
    if (this.take('*')) return { min: 0, max: null };
    if (this.take('+')) return { min: 1, max: null };
    if (this.take('?')) return { min: 0, max: 1 };
    if (this.next !== '{') return null;
    const found = /^\{(\d{1,4})(?:(,)(\d{1,4})?)?\}/.exec(this.characters.slice(this.index, this.index + 12).join(''));
    const min = Number(found?.[1] ?? Number.NaN);
    const max = found?.[2] === undefined ? min : found[3] === undefined ? null : Number(found[3]);
    if (found === null || (max !== null && max < min)) throw this.error('a "{" that is no repetition such as {2,5} is written \\{');
    this.index += found[0].length;
    return { min, max };
  }

  private item(): Pattern {
    const character = this.next ?? '';
    if ('*+?{'.includes(character)) throw this.error(`"${character}" has nothing to repeat`);
    if (this.take('^')) return { kind: 'begin' };
    if (this.take('$')) return { kind: 'end' };
    if (this.take('(')) return this.group();
    if (this.take('[')) return { kind: 'set', ranges: this.bracket() };
    if (this.take('.')) return { kind: 'set', ranges: complement([[0x0a, 0x0a]]) };
    if (character === '\\') return { kind: 'set', ranges: this.escape() };
    this.index += 1;
    return { kind: 'set', ranges: [rangeOf(character)] };
  }

  private group(): Pattern {
    this.groups += 1;
    if (this.groups > groupsMax) throw this.error(`a pattern has at most ${groupsMax} groups`);
    if (this.take('?') && !this.take(':')) throw this.error('of the groups that begin with "?", only (?: is understood');
    const inner = this.choice();
    if (!this.take(')')) throw this.error('a ")" is missing');
    return inner;
  }

  private bracket(): CodePointRange[] {
    const isNegated = this.take('^');
    const ranges: CodePointRange[] = [];
    while (!this.take(']')) {
      if (this.next === undefined) throw this.error('a "]" is missing');
      if (this.next === '[') throw this.error('a "[" within brackets is written \\[');
      ranges.push(...this.bracketPart());
    }
    if (ranges.length === 0) throw this.error('brackets hold at least one character; "]" is written \\]');
    return isNegated ? complement(ranges) : ranges;
  }

  private bracketPart(): readonly CodePointRange[] {
    const from = this.bracketCharacter();
    if (this.next !== '-' || this.characters[this.index + 1] === ']') return from;
    this.index += 1;
    if (this.next === undefined) throw this.error('a "]" is missing');
    const to = this.bracketCharacter();
    const [first, last] = [from[0]?.[0] ?? 0, to[0]?.[1] ?? 0];
    if (!isSingle(from) || !isSingle(to) || first > last) throw this.error('this is no range of characters');
    return [[first, last]];
  }

  private bracketCharacter(): readonly CodePointRange[] {
    if (this.next === '\\') return this.escape();
    const character = this.next ?? '';
    this.index += 1;
    return [rangeOf(character)];
  }

  private escape(): readonly CodePointRange[] {
    const character = this.characters[this.index + 1] ?? '';
    const control = Object.hasOwn(controls, character) ? controls[character] : undefined;
    const ranges = Object.hasOwn(classes, character) ? classes[character] : control === undefined ? undefined : ([[control, control]] as const);
    if (ranges === undefined && !/^[!-/:-@[-`{-~]$/.test(character)) throw this.error(`"\\${character}" is not understood`);
    this.index += 2;
    return ranges ?? [rangeOf(character)];
  }
}

function rangeOf(character: string): CodePointRange {
  const codePoint = character.codePointAt(0) ?? 0;
  return [codePoint, codePoint];
}

function isSingle(ranges: readonly CodePointRange[]): boolean {
  return ranges.length === 1 && ranges[0]?.[0] === ranges[0]?.[1];
}
