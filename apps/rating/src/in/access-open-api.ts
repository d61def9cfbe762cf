import { accessQuerySchema, accessSchema } from '#contracts';
import { problemResponse, schemaOf } from '#platform';

const query = Object.entries((schemaOf(accessQuerySchema, 'input')['properties'] ?? {}) as Record<string, { readonly description?: string }>);
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
        200: { description: 'Done.', content: { 'application/json': { schema: schemaOf(accessSchema, 'output') } } },
        401: problemResponse('The credential is missing or unknown.'), 403: problemResponse('The credential lacks the scope.'), 404: problemResponse('There is no such object.'),
        422: problemResponse('The request was understood and refused; errors names each fault.'),
      },
    },
  },
};
