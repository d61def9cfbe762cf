import type { z } from 'zod';
import { invalidInput } from '#platform';

/** The query of a request; throws 422 where it is not as the schema says. */
export function parsedQuery<Schema extends z.ZodType>(schema: Schema, query: unknown): z.output<Schema> {
  const parsed = schema.safeParse(query);
  if (!parsed.success) throw invalidInput(parsed.error.issues as Parameters<typeof invalidInput>[0]);
  return parsed.data;
}
