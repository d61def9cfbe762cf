import { z } from 'zod';

const valuesMax = 100;
const filterLengthMax = 65_536;

/** A parameter that may be given several times: any of its values is let through. */
export const oneOrMore = <Value extends z.ZodType<string>>(value: Value) => z.union([value, z.array(value).max(valuesMax, `At most ${valuesMax} values are taken at once.`)]);

/** The values of a parameter that may be given several times, each once. */
export function valuesOf(parameter: string | readonly string[]): readonly string[] {
  return typeof parameter === 'string' ? [parameter] : [...new Set(parameter)];
}

/** A query of these fields and, as often as wanted, of `<name>[key]=text`. */
export function filteredQuerySchema<Shape extends z.ZodRawShape>(shape: Shape, name: string) {
  return z
    .object(shape)
    .catchall(oneOrMore(z.string().max(filterLengthMax)))
    .superRefine(
      (query, context) => {
        const keys = Object.keys(query).filter((key) => !Object.hasOwn(shape, key) && keyOf({ parameter: key, name }) === null);
        if (keys.length > 0) context.addIssue({ code: 'unrecognized_keys', keys, input: query });
      },
      { when: () => true }, // Also beside other faults: every one is named at once.
    );
}

/** The filters of such a query, key to the texts that are let through. */
export function filtersOf(query: Readonly<Record<string, unknown>>, name: string): Record<string, readonly string[]> {
  return Object.fromEntries(Object.entries(query).flatMap(([parameter, value]) => {
    const key = keyOf({ parameter, name });
    return key !== null && (typeof value === 'string' || Array.isArray(value)) ? [[key, valuesOf(value as string | string[])]] : [];
  }));
}

/** What stands in the brackets of `<name>[key]`; null for any other parameter. */
function keyOf({ parameter, name }: { readonly parameter: string; readonly name: string }): string | null {
  return parameter.startsWith(`${name}[`) && parameter.endsWith(']') && parameter.length > name.length + 2 ? parameter.slice(name.length + 1, -1) : null;
}
