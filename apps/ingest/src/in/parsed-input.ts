import type { z } from 'zod';
import { invalidInput } from '#platform';

/** The query or the body of a request; throws 422, naming every fault, where it is not as the schema says. */
export function parsedInput<Schema extends z.ZodType>(schema: Schema, input: unknown): z.output<Schema> {
  const parsed = schema.safeParse(input);
  if (!parsed.success) throw invalidInput(parsed.error.issues as Parameters<typeof invalidInput>[0]);
  return parsed.data;
}
