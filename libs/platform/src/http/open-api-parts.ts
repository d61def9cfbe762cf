import { z } from 'zod';

// For routes that live on the Fastify instance itself and describe themselves.

export type JsonSchema = Record<string, unknown>;

export function schemaOf(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { target: 'draft-2020-12', io });
  return rest;
}

/** The schema of problems, which every document has. */
export const problemReference = { $ref: '#/components/schemas/Problem' };

export function problemResponse(description: string) {
  return { description, content: { 'application/problem+json': { schema: problemReference } } };
}
