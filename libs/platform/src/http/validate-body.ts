import { StandardSchemaValidationPipe, type ArgumentMetadata } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { InputFault } from '../errors/refusal.js';
import { Problem } from './problem.js';
import { prototypeNames, unreadableTexts } from './unreadable-texts.js';

interface Issue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
  readonly code?: string;
  /** Names of fields that a strict schema does not know. */
  readonly keys?: readonly string[];
  /** What a schema's own check says about its fault. */
  readonly params?: { readonly code?: string };
}

/** RFC 6901. */
export function jsonPointer(path: readonly PropertyKey[]): string {
  return path.map((key) => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

/** Faults of what a value is, rather than of a rule that a schema adds. */
const shapeCodes = new Set(['invalid_type', 'invalid_value', 'invalid_union']);

const missing = (pointer: string): InputFault => ({ pointer, code: 'missing_field', detail: 'This field is required.' });

function toFaults(issue: Issue, isMissing: (path: readonly PropertyKey[]) => boolean): InputFault[] {
  const path = pathOf(issue);
  if (issue.code === 'unrecognized_keys') {
    return (issue.keys ?? []).map((key) => ({ pointer: jsonPointer([...path, key]), code: 'unknown_field', detail: 'There is no such field.' }));
  }
  const isShape = shapeCodes.has(issue.code ?? '');
  if (/received undefined$/.test(issue.message) || (isShape && isMissing(path))) return [missing(jsonPointer(path))];
  return [{ pointer: jsonPointer(path), code: issue.params?.code ?? (issue.code === 'custom' ? 'invalid' : issue.code) ?? 'invalid', detail: issue.message }];
}

function pathOf(issue: Issue): PropertyKey[] {
  return (issue.path ?? []).map((part) => (typeof part === 'object' ? part.key : part));
}

/** Every fault of an input in one problem. */
export function invalidInput(issues: readonly Issue[]): Problem {
  return problemOf(issues.flatMap((issue) => toFaults(issue, () => false)));
}

function problemOf(errors: readonly InputFault[]): Problem {
  return new Problem({
    status: 422,
    code: 'invalid_request',
    detail: errors.length === 1 ? 'One field is not as it must be.' : `${errors.length} fields are not as they must be.`,
    errors,
  });
}

/**
 * Validates `@Body({ schema })`, `@Query({ schema })` and `@Param(…, { schema })`, naming every fault at once. Texts that
 * no store can keep are a fault of any input, whatever its schema says.
 */
class InputPipe extends StandardSchemaValidationPipe {
  override async transform<T>(value: T, metadata: ArgumentMetadata): Promise<T> {
    if (metadata.type === 'custom') return value;
    const unreadable = unreadableTexts(value).map((path) => ({ pointer: jsonPointer(path), code: 'invalid_string', detail: 'A text holds neither U+0000 nor half of a surrogate pair.' }));
    const pointers = new Set(unreadable.map(({ pointer }) => pointer));
    const { issues, result } = await this.checked(value, metadata);
    const others = issues.flatMap((issue) => toFaults(issue, (path) => isMissing(value, path))).filter(({ pointer }) => !pointers.has(pointer));
    const told = new Set(others.map(({ pointer }) => pointer));
    const nameless = prototypeNames(value).map((path) => ({ pointer: jsonPointer(path), code: 'invalid_string', detail: 'A member can\'t have this name; choose another one.' })).filter(({ pointer }) => !told.has(pointer));
    const faults = [...unreadable, ...others, ...nameless];
    if (faults.length > 0) throw problemOf(faults);
    return result;
  }

  private async checked<T>(value: T, { schema }: ArgumentMetadata): Promise<{ issues: readonly Issue[]; result: T }> {
    if (schema === undefined) return { issues: [], result: value };
    // Nest would drop members named "constructor" in silence. They are harmless: JSON.parse makes them members like any other.
    const checked = await this.validate(value, schema);
    return checked.issues === undefined ? { issues: [], result: checked.value as T } : { issues: checked.issues, result: value };
  }
}

/** Some schemas, such as those of a choice, do not say that nothing was there to choose from. */
function isMissing(value: unknown, path: readonly PropertyKey[]): boolean {
  let at = value;
  for (const key of path) {
    if (typeof at !== 'object' || at === null) return false;
    at = (at as Record<PropertyKey, unknown>)[key];
  }
  return at === undefined;
}

export function validationPipe(): StandardSchemaValidationPipe {
  return new InputPipe();
}

const pipe = validationPipe();

/** The query of a route that lives on the Fastify instance itself, checked as those of Nest's are. */
export function checkedQuery<Schema extends z.ZodType>({ query }: Pick<FastifyRequest, 'query'>, schema: Schema): Promise<z.output<Schema>> {
  return pipe.transform(query, { type: 'query', schema }) as Promise<z.output<Schema>>;
}
