import { isAlias, isPair, isScalar, LineCounter, parseDocument, visit, type Document, type Pair } from 'yaml';
import { z } from 'zod';
import { requirementCycle } from '#domain';
import { addOnCreateSchema, decimalFields, featureCreateSchema, meterCreateSchema, planCreateSchema, productCreateSchema } from '#contracts';
import { placeIn } from './catalog-places.js';

export const itemsMax = 1_000;
/** Reading takes time in proportion to it, and more than a thousand of each kind are refused anyway. */
const charactersMax = 4_000_000;
/** Of what aliases stand for, all counted: more would fill the memory. */
const aliasedMax = 10_000;

/** What each kind has, as the API takes it. A draft is applied as the plan's draft: nobody can subscribe to it until it is published. */
export const itemSchemas = {
  products: productCreateSchema,
  meters: meterCreateSchema,
  features: featureCreateSchema,
  plans: planCreateSchema.extend({ draft: z.boolean().optional() }),
  add_ons: addOnCreateSchema,
};

/** A catalog as a file has it: each item by its key. */
const catalogSchema = z.strictObject({
  products: z.array(itemSchemas.products).max(itemsMax).optional(),
  meters: z.array(itemSchemas.meters).max(itemsMax).optional(),
  features: z.array(itemSchemas.features).max(itemsMax).optional(),
  plans: z.array(itemSchemas.plans).max(itemsMax).optional(),
  add_ons: z.array(itemSchemas.add_ons).max(itemsMax).optional(),
});

/** In the order in which each kind refers to those before it. */
export const catalogKinds = ['products', 'meters', 'features', 'plans', 'add_ons'] as const;
export type CatalogKind = (typeof catalogKinds)[number];

export type CatalogItem = Readonly<Record<string, unknown>> & { readonly key: string };
export type CatalogFile = Partial<Record<CatalogKind, readonly CatalogItem[]>> & Record<string, readonly CatalogItem[]>;

/** Faults with their places: ":line: sentence" or ":line /pointer: sentence". */
export type ReadCatalog = { readonly ok: true; readonly catalog: CatalogFile } | { readonly ok: false; readonly faults: readonly string[] };

interface PlacedFault {
  readonly path: readonly PropertyKey[];
  readonly detail: string;
}

/** Reads YAML, of which JSON is a part. Every fault is told with its place. */
export function readCatalog(text: string): ReadCatalog {
  if (text.length > charactersMax) return refusedFile([`: The file has more than ${charactersMax / 1_000_000} million characters; split it, product by product.`]);
  const lines = new LineCounter();
  const document = parseDocument(text, { prettyErrors: false, merge: true, lineCounter: lines });
  const unread = [...[...document.errors, ...document.warnings].map(({ pos: [at], code, message }) => ({ at, detail: sentences[code] ?? message })), ...unknownAliases(document)];
  if (unread.length > 0) return refusedFile(unread.map(({ at, detail }) => `:${lines.linePos(at).line}: ${detail}`));
  keepDigits(document);
  const given = valueOf(document);
  if (given === undefined) return refusedFile([': What its aliases stand for is too much, or stands for itself; write it out.']);
  const parsed = catalogSchema.safeParse(given);
  const faults = [...(parsed.error?.issues ?? []).flatMap(faultsOf), ...faultsAmong(given)];
  if (parsed.success && faults.length === 0) return { ok: true, catalog: parsed.data as CatalogFile };
  return refusedFile(faults.map(({ path, detail }) => {
    const at = placeIn(document, path);
    const pointer = path.map((part) => `/${String(part)}`).join('');
    return `${at === null ? '' : `:${lines.linePos(at).line}`}${pointer === '' ? '' : ` ${pointer}`}: ${detail}`;
  }));
}

function refusedFile(faults: readonly string[]): ReadCatalog {
  return { ok: false, faults };
}

/** What the reader of YAML says for programmers. */
const sentences: Readonly<Record<string, string>> = {
  DUPLICATE_KEY: 'This field stands here twice; keep one of the two.',
  RESOURCE_EXHAUSTION: 'This is nested too deep to be read.',
  MULTIPLE_DOCS: 'A second document begins here; give it a file of its own.',
  TAG_RESOLVE_FAILED: 'This tag is none of YAML\'s own; remove it.',
};

function unknownAliases(document: Document): { at: number; detail: string }[] {
  const anchors = new Set<string>();
  const unknown: { at: number; detail: string }[] = [];
  visit(document, {
    Node(_key, node) {
      if (isAlias(node)) {
        if (!anchors.has(node.source)) unknown.push({ at: node.range?.[0] ?? 0, detail: `No anchor "${node.source}" stands before this alias.` });
      } else if (node.anchor !== undefined) anchors.add(node.anchor);
    },
  });
  return unknown;
}

/** Decimals keep the digits that were written; none goes through a float. */
function keepDigits(document: Document): void {
  visit(document, {
    Pair(_key, { key, value }, path) {
      const within = nameOf(path.findLast((node): node is Pair => isPair(node)));
      const isDecimal = isScalar(key) && (decimalFields.has(String(key.value)) || decimalFields.has(`${within}.${String(key.value)}`));
      if (isDecimal && isScalar(value) && typeof value.value === 'number') value.value = value.source ?? String(value.value);
    },
  });
}

function nameOf(pair: Pair | undefined): string {
  return isScalar(pair?.key) ? String(pair.key.value) : '';
}

/** An empty file is an empty catalog. Undefined where its aliases can't be followed to an end. */
function valueOf(document: Document): unknown {
  try {
    return document.toJS({ maxAliasCount: aliasedMax }) ?? {};
  } catch (error) {
    if (error instanceof ReferenceError || error instanceof RangeError) return undefined;
    throw error;
  }
}

function faultsOf(issue: z.core.$ZodIssue): PlacedFault[] {
  if (issue.code === 'unrecognized_keys') return issue.keys.map((name) => ({ path: [...issue.path, name], detail: 'There is no such field.' }));
  return [{ path: issue.path, detail: issue.message.endsWith('received undefined') ? 'This field is required.' : issue.message }];
}

/** What items say of each other, whatever else is wrong with them: two of one key, and add-ons that lead back to themselves. With what is there already, the server sees the rest. */
function faultsAmong(given: unknown): PlacedFault[] {
  const faults: PlacedFault[] = [];
  for (const kind of catalogKinds) {
    const seen = new Set<string>();
    for (const [index, { key }] of keyedItems(given, kind).entries()) {
      if (key !== null && seen.has(key)) faults.push({ path: [kind, index, 'key'], detail: `Another one above has the key "${key}" too; keep one of the two.` });
      if (key !== null) seen.add(key);
    }
  }
  const addOns = keyedItems(given, 'add_ons');
  const graph = new Map(addOns.map(({ key, requires }) => [key ?? '', requires]));
  for (const [index, { key, requires }] of addOns.entries()) {
    const cycle = key === null ? null : requirementCycle({ key, requires }, graph);
    if (cycle !== null) faults.push({ path: ['add_ons', index, 'requires'], detail: `${cycle.join(' requires ')}: nobody could have one before the other; remove one of these.` });
  }
  return faults;
}

function keyedItems(given: unknown, kind: CatalogKind): { readonly key: string | null; readonly requires: readonly string[] }[] {
  const items = fieldOf(given, kind);
  if (!Array.isArray(items)) return [];
  return items.map((item: unknown) => {
    const [key, requires] = [fieldOf(item, 'key'), fieldOf(item, 'requires')];
    return { key: typeof key === 'string' ? key : null, requires: Array.isArray(requires) ? requires.filter((one) => typeof one === 'string') : [] };
  });
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
