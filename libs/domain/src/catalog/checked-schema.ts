import type { z } from 'zod';
import type { CatalogFault } from './catalog-fault.js';
import { priceDecimalFields } from './decimal-fields.js';

/** Parts of an input, from the outside in. */
type Path = readonly PropertyKey[];

type FaultsOf<Schema extends z.ZodType> = (value: z.output<Schema>) => readonly CatalogFault[];

/** A schema with the meaning of its value checked too, so that one answer names what is no such value and what can't be meant. */
export function checkedSchema<Schema extends z.ZodType>(schema: Schema, faultsOf: FaultsOf<Schema>): Schema {
  return withFaults(schema, { faultsOf, ofSound: faultsOf });
}

/** The same where a value of the right shape is checked later, together with what is stored: here its meaning is looked at only beside fields that have no shape. */
export function checkedBesideShape<Schema extends z.ZodType>(schema: Schema, faultsOf: FaultsOf<Schema>): Schema {
  return withFaults(schema, { faultsOf, ofSound: () => [] });
}

function withFaults<Schema extends z.ZodType>(schema: Schema, { faultsOf, ofSound }: { faultsOf: FaultsOf<Schema>; ofSound: FaultsOf<Schema> }): Schema {
  const tell = (value: z.output<Schema>, context: z.core.$RefinementCtx): void => {
    const misshapen = context.issues.filter(({ code }) => code !== 'custom').length;
    const faults = misshapen === 0 ? ofSound(value) : misshapen > misshapenMax ? [] : faultsBeside(value, { schema, faultsOf });
    for (const fault of faults) context.addIssue({ code: 'custom', path: pathOf(fault.pointer), message: fault.detail, params: { code: fault.code } });
  };
  return schema.superRefine(tell, { when: () => true });
}

/** The path of an RFC 6901 pointer. */
function pathOf(pointer: string): (string | number)[] {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part.replaceAll('~1', '/').replaceAll('~0', '~')));
}

/** What may stand for a field that is needed and has no shape; it has no fault of its own. */
const standInModel = { type: 'flat', amount: '0' };
const standIns: Readonly<Record<string, unknown>> = { type: 'usage', model: standInModel, price: { type: 'usage', model: standInModel }, key: 'key', name: 'name', currency: 'USD' };

const roundsMax = 10;
/** Beyond so many fields without a shape, they alone are told: who made them wrote them by a program. */
const misshapenMax = 100;

/** The faults of what is sound around fields that have no shape, those aside that such a field may have caused. */
function faultsBeside<Schema extends z.ZodType>(value: unknown, of: { schema: Schema; faultsOf: FaultsOf<Schema> }): CatalogFault[] {
  const mended = structuredClone(value);
  const touched: Path[] = [];
  for (let round = 0; round < roundsMax; round += 1) {
    const parsed = of.schema.safeParse(mended);
    if (parsed.success) return of.faultsOf(parsed.data).filter((fault) => isApart(fault, touched));
    for (const issue of parsed.error.issues) {
      const paths = issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...issue.path, key]) : [issue.path];
      for (const path of paths) {
        touched.push(path);
        if (!mend(mended, { path, isFirst: round === 0 })) return [];
      }
    }
  }
  return [];
}

/** Puts something sound in the place of a part, or takes it out; false where nothing would be left. */
function mend(value: unknown, { path, isFirst }: { path: Path; isFirst: boolean }): boolean {
  const name = path.at(-1);
  if (name === undefined) return false;
  const parent = at(value, path.slice(0, -1));
  if (typeof parent !== 'object' || parent === null) return true; // Taken out with what is around it.
  if (Array.isArray(parent)) return mend(value, { path: path.slice(0, -1), isFirst: false });
  const members = parent as Record<PropertyKey, unknown>;
  const standIn = typeof name !== 'string' ? undefined : isFirst && priceDecimalFields.has(name) ? '1' : (Object.hasOwn(standIns, name) ? standIns[name] : undefined);
  if (standIn !== undefined && JSON.stringify(members[name]) !== JSON.stringify(standIn)) members[name] = structuredClone(standIn);
  else if (standIn === undefined && Object.hasOwn(members, name)) delete members[name];
  else return mend(value, { path: path.slice(0, -1), isFirst: false });
  return true;
}

function at(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((part, key) => (typeof part === 'object' && part !== null && Object.hasOwn(part, key) ? (part as Record<PropertyKey, unknown>)[key] : undefined), value);
}

/** What a field asks of another one, and the order of tiers, can be told only of fields that were there as they stand. */
const told = new Set<CatalogFault['code']>(['not_allowed', 'missing_field', 'minimum_above_maximum']);
const ofOrder = new Set<CatalogFault['code']>(['tiers_unsorted', 'tier_not_open', 'tier_open_too_early']);

function isApart({ pointer, code }: CatalogFault, touched: readonly Path[]): boolean {
  if (told.has(code)) return false;
  if (ofOrder.has(code) && touched.some((path) => path.at(-1) === 'up_to')) return false;
  const path = pathOf(pointer).map(String);
  return !touched.some((other) => other.every((part, index) => index >= path.length || path[index] === String(part)));
}
