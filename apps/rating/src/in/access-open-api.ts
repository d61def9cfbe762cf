import { z } from 'zod';
import { accessQuerySchema, accessSchema } from '#contracts';

const problem = (description: string) => ({ description, content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } } });

function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): Record<string, unknown> {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { target: 'draft-2020-12', io });
  return rest;
}

const query = Object.entries((jsonSchema(accessQuerySchema, 'input')['properties'] ?? {}) as Record<string, { readonly description?: string }>);
const referenced = (name: string) => ({ name, in: 'path', required: true, description: 'Id or key.', schema: { type: 'string' } });

/** The check, which lives on the Fastify instance itself and is unknown to Nest's own document. */
export const accessOpenApi = {
  '/v1/customers/{customer}/access/{feature}': {
    get: {
      operationId: 'AccessController_access',
      summary: 'Whether a customer may use a feature now, and what that would cost',
      description: 'Counts nothing and holds nothing: it says what is so by now. Exactly on the limit is allowed. marginal_amount is what the quantity would add to the open period.',
      tags: ['access'],
      parameters: [
        { name: 'group[dimension]', in: 'query', required: false, description: 'A dimension of what would be used, for prices that ask by it.', schema: { type: 'string' } },
        referenced('customer'),
        referenced('feature'),
        ...query.map(([name, schema]) => ({ name, in: 'query', required: false, description: schema.description, schema })),
      ],
      responses: {
        200: { description: 'Done.', content: { 'application/json': { schema: jsonSchema(accessSchema, 'output') } } },
        401: problem('The credential is missing or unknown.'), 403: problem('The credential lacks the scope.'), 404: problem('There is no such object.'),
        422: problem('The request was understood and refused; errors names each fault.'),
      },
    },
  },
};
