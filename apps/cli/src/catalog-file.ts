import { isPair, isScalar, parseDocument, visit, type Pair } from 'yaml';
import { z } from 'zod';
import { requirementCycle } from '#domain';
import { addOnCreateSchema, decimalFields, featureCreateSchema, meterCreateSchema, planCreateSchema, productCreateSchema } from '#contracts';

const itemsMax = 1_000;

/** A plan as the API takes it. A draft is applied as the plan's draft: nobody can subscribe to it until it is published. */
const catalogPlanSchema = planCreateSchema.extend({ draft: z.boolean().optional() });

/** A catalog as a file has it: each item as the API takes it, by its key. */
const catalogSchema = z.strictObject({
  products: z.array(productCreateSchema).max(itemsMax).optional(),
  meters: z.array(meterCreateSchema).max(itemsMax).optional(),
  features: z.array(featureCreateSchema).max(itemsMax).optional(),
  plans: z.array(catalogPlanSchema).max(itemsMax).optional(),
  add_ons: z.array(addOnCreateSchema).max(itemsMax).superRefine(refuseCycles).optional(),
});

/** What a file says leads back to itself; with what is there already, the server sees the rest. */
function refuseCycles(addOns: readonly { readonly key: string; readonly requires?: readonly string[] | undefined }[], context: z.RefinementCtx): void {
  const graph = new Map(addOns.map(({ key, requires }) => [key, requires ?? []]));
  for (const [index, { key, requires = [] }] of addOns.entries()) {
    const cycle = requirementCycle({ key, requires }, graph);
    if (cycle !== null) context.addIssue({ code: 'custom', path: [index, 'requires'], message: `${cycle.join(' requires ')}: nobody could have one before the other; remove one of these.` });
  }
}

/** In the order in which each kind refers to those before it. */
export const catalogKinds = ['products', 'meters', 'features', 'plans', 'add_ons'] as const;
export type CatalogKind = (typeof catalogKinds)[number];

export type CatalogItem = Readonly<Record<string, unknown>> & { readonly key: string };
export type CatalogFile = Partial<Record<CatalogKind, readonly CatalogItem[]>> & Record<string, readonly CatalogItem[]>;

export type ReadCatalog = { readonly ok: true; readonly catalog: CatalogFile } | { readonly ok: false; readonly faults: readonly string[] };

/** Reads YAML, of which JSON is a part. Every fault is told with its place: ":line:column" or "/pointer". */
export function readCatalog(text: string): ReadCatalog {
  const document = parseDocument(text, { prettyErrors: false });
  if (document.errors.length > 0) return { ok: false, faults: document.errors.map(({ pos, message }) => `:${lineOf(text, pos[0])}: ${message}`) };
  // Decimals keep the digits that were written; none goes through a float.
  visit(document, {
    Pair(_key, { key, value }, path) {
      const within = nameOf(path.findLast((node): node is Pair => isPair(node)));
      const isDecimal = isScalar(key) && (decimalFields.has(String(key.value)) || decimalFields.has(`${within}.${String(key.value)}`));
      if (isDecimal && isScalar(value) && typeof value.value === 'number') value.value = value.source ?? String(value.value);
    },
  });
  const parsed = catalogSchema.safeParse(document.toJS() ?? {});
  if (parsed.success) return { ok: true, catalog: parsed.data as CatalogFile };
  return { ok: false, faults: parsed.error.issues.flatMap((issue) => faultsOf(issue)) };
}

function nameOf(pair: Pair | undefined): string {
  return isScalar(pair?.key) ? String(pair.key.value) : '';
}

function faultsOf(issue: z.core.$ZodIssue): string[] {
  const pointer = issue.path.map((part) => `/${String(part)}`).join('');
  if (issue.code === 'unrecognized_keys') return issue.keys.map((name) => `${pointer}/${name}: There is no such field.`);
  return [`${pointer}: ${issue.message}`];
}

function lineOf(text: string, at: number): number {
  return text.slice(0, at).split('\n').length;
}
