import { z } from 'zod';
import { refusedEventSchema } from '#contracts';

export type JsonSchema = Record<string, unknown>;

export function schemaOf(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { target: 'draft-2020-12', io });
  return rest;
}

export const problem = { $ref: '#/components/schemas/Problem' };

export const nothingAccepted = {
  allOf: [problem, { type: 'object', required: ['accepted', 'rejected'], properties: { accepted: { const: 0 }, rejected: { type: 'array', items: schemaOf(refusedEventSchema, 'output') } } }],
};
