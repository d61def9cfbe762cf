import { StandardSchemaValidationPipe } from '@nestjs/common';
import type { InputFault } from '../errors/refusal.js';
import { Problem } from './problem.js';

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

function toFaults(issue: Issue): InputFault[] {
  const path = (issue.path ?? []).map((part) => (typeof part === 'object' ? part.key : part));
  if (issue.code === 'unrecognized_keys') {
    return (issue.keys ?? []).map((key) => ({ pointer: jsonPointer([...path, key]), code: 'unknown_field', detail: 'There is no such field.' }));
  }
  if (/received undefined$/.test(issue.message)) return [{ pointer: jsonPointer(path), code: 'missing_field', detail: 'This field is required.' }];
  return [{ pointer: jsonPointer(path), code: issue.params?.code ?? (issue.code === 'custom' ? 'invalid' : issue.code) ?? 'invalid', detail: issue.message }];
}

/** Every fault of an input in one problem. */
export function invalidInput(issues: readonly Issue[]): Problem {
  const errors = issues.flatMap(toFaults);
  return new Problem({
    status: 422,
    code: 'invalid_request',
    detail: errors.length === 1 ? 'One field is not as it must be.' : `${errors.length} fields are not as they must be.`,
    errors,
  });
}

/** Validates `@Body({ schema })`, `@Query({ schema })` and `@Param(…, { schema })`, naming every fault at once. */
export function validationPipe(): StandardSchemaValidationPipe {
  return new StandardSchemaValidationPipe({ exceptionFactory: (issues) => invalidInput(issues as readonly Issue[]) });
}
