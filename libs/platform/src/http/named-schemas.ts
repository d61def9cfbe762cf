import { isDeepStrictEqual } from 'node:util';

type Json = Record<string, unknown>;
type Direction = 'input' | 'output';

const localPrefix = '#/$defs/';
const sharedPrefix = '#/components/schemas/';
const nameOfSchema = /^[A-Z][A-Za-z0-9]*$/;

/** A reference to a schema before it is known whether inputs and outputs have it alike. */
interface Pending extends Json {
  $ref: string;
}

/**
 * Schemas with a name of their own (`.meta({ id })`) stand in an OpenAPI document once, among its components, however often
 * they are used. One that reads otherwise in requests than in answers (a default may be left out of the first only) is
 * called `<Name>Input` there.
 */
export class NamedSchemas {
  private readonly found = new Map<string, Partial<Record<Direction, Json>>>();
  private readonly pending: { readonly reference: Pending; readonly name: string; readonly direction: Direction }[] = [];

  /** The same paths with references, and the schemas that these name. */
  static of(paths: object): { paths: Json; schemas: Json } {
    const named = new NamedSchemas();
    const replaced = named.replaced(paths, null) as Json;
    return { paths: replaced, schemas: named.finished() };
  }

  private replaced(node: unknown, direction: Direction | null): unknown {
    if (Array.isArray(node)) return node.map((item) => this.replaced(item, direction));
    if (typeof node !== 'object' || node === null) return node;
    const { $defs, ...own } = node as Json;
    if ($defs !== undefined && direction !== null) {
      for (const [name, schema] of Object.entries($defs as Record<string, Json>)) this.keep(name, direction, schema);
    }
    const { $ref, id } = own;
    if (typeof $ref === 'string' && $ref.startsWith(localPrefix) && direction !== null) return this.reference($ref.slice(localPrefix.length), direction, own);
    if (direction !== null && typeof id === 'string' && nameOfSchema.test(id) && isSchema(own)) {
      this.keep(id, direction, own);
      return this.reference(id, direction, {});
    }
    return Object.fromEntries(Object.entries(own).map(([key, value]) => [key, this.replaced(value, directionOf(key) ?? direction)]));
  }

  private reference(name: string, direction: Direction, { $ref: _local, ...beside }: Json): Pending {
    const reference: Pending = { ...beside, $ref: sharedPrefix + name };
    this.pending.push({ reference, name, direction });
    return reference;
  }

  private keep(name: string, direction: Direction, { id: _id, ...schema }: Json): void {
    const variants = this.found.get(name) ?? {};
    this.found.set(name, variants);
    if (variants[direction] !== undefined) return;
    variants[direction] = {}; // While it is read, since a schema may hold itself.
    variants[direction] = this.replaced(schema, direction) as Json;
  }

  private finished(): Json {
    const differing = this.differing();
    for (const { reference, name, direction } of this.pending) {
      if (direction === 'input' && differing.has(name)) reference.$ref = `${sharedPrefix}${name}Input`;
    }
    return Object.fromEntries([...this.found].flatMap(([name, { input, output }]) => [
      [name, output ?? input] as const, ...(differing.has(name) && input !== undefined ? [[`${name}Input`, input] as const] : []),
    ]).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** Names whose two forms differ, or that hold one whose do. */
  private differing(): Set<string> {
    const both = [...this.found].filter(([, { input, output }]) => input !== undefined && output !== undefined);
    const differing = new Set(both.filter(([, { input, output }]) => !isDeepStrictEqual(input, output)).map(([name]) => name));
    for (let size = -1; size !== differing.size; ) {
      size = differing.size;
      for (const [name, { input }] of both) if ([...differing].some((other) => JSON.stringify(input).includes(`"${sharedPrefix}${other}"`))) differing.add(name);
    }
    return differing;
  }
}

function directionOf(key: string): Direction | null {
  if (key === 'requestBody' || key === 'parameters') return 'input';
  return key === 'responses' ? 'output' : null;
}

function isSchema(node: Json): boolean {
  return 'type' in node || 'anyOf' in node || 'oneOf' in node || 'allOf' in node;
}
