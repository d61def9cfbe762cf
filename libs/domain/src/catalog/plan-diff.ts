import { canonicalDecimal } from '../money/decimal-text.js';
import { decimal, divide, toPlain } from '../money/decimal.js';

/** One thing that differs between two versions of a plan. */
export interface PlanDifference {
  /** RFC 6901 pointer into the terms; a price stands under its key: /prices/base/model/amount. */
  readonly pointer: string;
  readonly priceKey: string | null;
  readonly kind: 'added' | 'removed' | 'changed';
  /** Null where there was nothing, or is nothing. */
  readonly from: unknown;
  readonly to: unknown;
  /** The difference as a sentence. */
  readonly text: string;
}

/** Terms of a plan as the public contract shows them. */
export interface ComparedTerms {
  readonly prices: readonly (Readonly<Record<string, unknown>> & { readonly key: string; readonly name: string })[];
  readonly entitlements?: readonly (Readonly<Record<string, unknown>> & { readonly feature: string })[] | undefined;
  readonly [field: string]: unknown;
}

type Leaf = string | number | boolean | null;

/** What changed from one version of a plan to another, in order: the plan's own terms, then its prices by the later version's order and those that are gone, then its entitlements so. */
export function planDiff(from: ComparedTerms, to: ComparedTerms, subject = 'The plan'): PlanDifference[] {
  const { prices: before, entitlements: granted = [], ...own } = from;
  const { prices: after, entitlements: grantedAfter = [], ...ownAfter } = to;
  return [
    ...leafDifferences({ from: own, to: ownAfter, pointer: '', priceKey: null, subject }),
    ...paired(before, after, ({ key }) => key).flatMap(([key, one, other]) => priceDifferences(key, one, other)),
    ...paired(granted, grantedAfter, ({ feature }) => feature).flatMap(([feature, one, other]) => entitlementDifferences(feature, one, other)),
  ];
}

/** What each name stands for before and after, by the later order, then what is gone. */
function paired<T>(before: readonly T[], after: readonly T[], nameOf: (item: T) => string): [name: string, before: T | null, after: T | null][] {
  const find = (items: readonly T[], name: string): T | null => items.find((item) => nameOf(item) === name) ?? null;
  const names = [...after.map(nameOf), ...before.map(nameOf).filter((name) => find(after, name) === null)];
  return names.map((name) => [name, find(before, name), find(after, name)]);
}

/** What changed in the fields of any object. */
export function fieldDifferences(of: { from: unknown; to: unknown; subject: string }): PlanDifference[] {
  return leafDifferences({ ...of, pointer: '', priceKey: null });
}

function priceDifferences(key: string, before: ComparedTerms['prices'][number] | null, after: ComparedTerms['prices'][number] | null): PlanDifference[] {
  const pointer = `/prices/${key}`;
  const base = { pointer, priceKey: key, from: before, to: after };
  if (before === null) return [{ ...base, kind: 'added', text: `The price "${String(after?.name)}" (${key}) is new.` }];
  if (after === null) return [{ ...base, kind: 'removed', text: `The price "${before.name}" (${key}) is gone.` }];
  return leafDifferences({ from: before, to: after, pointer, priceKey: key, subject: `"${after.name}" (${key})` });
}

type ComparedEntitlement = NonNullable<ComparedTerms['entitlements']>[number];

function entitlementDifferences(feature: string, before: ComparedEntitlement | null, after: ComparedEntitlement | null): PlanDifference[] {
  const pointer = `/entitlements/${feature}`;
  const base = { pointer, priceKey: null, from: before, to: after };
  if (before === null) return [{ ...base, kind: 'added', text: `The entitlement to ${feature} is new${after === null ? '' : grantWords(after)}.` }];
  if (after === null) return [{ ...base, kind: 'removed', text: `The entitlement to ${feature} is gone.` }];
  return leafDifferences({ from: before, to: after, pointer, priceKey: null, subject: `The entitlement to ${feature}` });
}

/** ": 1000 per billing period, hard" for a limit; what else grants a feature says it by its value. */
function grantWords({ type, value, limit, reset, enforcement }: ComparedEntitlement): string {
  if (type === 'static') return `: ${shown(value as Leaf)}`;
  if (type !== 'metered') return '';
  if (limit === null) return ': without a limit';
  return `: ${String(limit)}${reset === 'never' ? ' in all' : ` per ${String(reset).replaceAll('_', ' ')}`}, ${String(enforcement)}`;
}

function leafDifferences(of: { from: unknown; to: unknown; pointer: string; priceKey: string | null; subject: string }): PlanDifference[] {
  const before = leavesOf(of.from);
  const after = leavesOf(of.to);
  const paths = [...after.keys(), ...[...before.keys()].filter((path) => !after.has(path))];
  return paths.flatMap((path): PlanDifference[] => {
    const from = before.get(path) ?? null;
    const to = after.get(path) ?? null;
    if (isSame(from, to)) return [];
    const kind = !before.has(path) ? 'added' : !after.has(path) ? 'removed' : 'changed';
    return [{ pointer: `${of.pointer}${path}`, priceKey: of.priceKey, kind, from, to, text: `${of.subject}: ${sentence(wordsOf(path), { kind, from, to })}` }];
  });
}

/** The values of nested terms by their pointers. Ids are not compared: they follow from the rest. */
function leavesOf(value: unknown, pointer = '', into = new Map<string, Leaf>()): Map<string, Leaf> {
  if (typeof value !== 'object' || value === null) {
    if (value !== undefined) into.set(pointer, value as Leaf);
    return into;
  }
  for (const [name, item] of Object.entries(value)) {
    if (pointer !== '' || name !== 'id') leavesOf(item, `${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`, into);
  }
  return into;
}

function isSame(a: Leaf, b: Leaf): boolean {
  return a === b || (typeof a === 'string' && typeof b === 'string' && canonicalDecimal(a) !== null && canonicalDecimal(a) === canonicalDecimal(b));
}

function sentence(words: string, change: { kind: PlanDifference['kind']; from: Leaf; to: Leaf }): string {
  const { kind, from, to } = change;
  if (kind === 'added') return `${words} ${shown(to)}, new.`;
  if (kind === 'removed') return `${words} ${shown(from)}, gone.`;
  const [before, after] = [numberOf(from), numberOf(to)];
  if (before === null || after === null) return `${words} from ${shown(from)} to ${shown(to)}.`;
  const percent = before.isZero() ? '' : ` (${signed(toPlain(divide(after.minus(before).times(100), before.abs()).toDecimalPlaces(2)))} %)`;
  return `${words} from ${toPlain(before)} to ${toPlain(after)}${percent}.`;
}

function numberOf(value: Leaf) {
  const text = typeof value === 'number' ? String(value) : value;
  const canonical = typeof text === 'string' ? canonicalDecimal(text) : null;
  // A name may look like a number of any size; what is priced has no exponent.
  return canonical === null || canonical.includes('e') ? null : decimal(canonical);
}

function signed(text: string): string {
  return text.startsWith('-') ? text : `+${text}`;
}

function shown(value: Leaf): string {
  if (value === null) return 'open';
  return typeof value === 'string' && canonicalDecimal(value) === null ? `"${value}"` : String(value);
}

/** Fields whose names are no nouns. */
const nouns: Readonly<Record<string, string>> = { up_to: 'upper bound', divide_by: 'divisor', pay: 'time of payment', group_by: 'grouping', prorate: 'proration', when: 'condition' };

/** "unit amount of tier 2" for /model/tiers/1/unit_amount; what a model or a list is part of comes last. */
function wordsOf(path: string): string {
  const parts = path.split('/').slice(1).filter((part) => part !== 'model');
  const [name = 'value', ...around] = parts.toReversed();
  const whose = around.reduceRight<string[]>((words, part, index) => {
    if (/^\d+$/.test(part)) return words;
    const place = around[index - 1];
    const noun = nouns[part] ?? part.replaceAll('_', ' ');
    return [...words, place !== undefined && /^\d+$/.test(place) ? `${noun.replace(/s$/, '')} ${Number(place) + 1}` : noun];
  }, []);
  const noun = /^\d+$/.test(name) ? `entry ${Number(name) + 1}` : name === 'type' && path.startsWith('/model') ? 'model' : (nouns[name] ?? name.replaceAll('_', ' '));
  return [noun, ...whose.toReversed().map((word) => `of ${word}`)].join(' ');
}
