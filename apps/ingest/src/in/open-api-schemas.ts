import { refusedEventSchema } from '#contracts';
import { problemReference, problemResponse, schemaOf } from '#platform';

export const nothingAccepted = {
  allOf: [problemReference, { type: 'object', required: ['accepted', 'rejected'], properties: { accepted: { const: 0 }, rejected: { type: 'array', items: schemaOf(refusedEventSchema, 'output') } } }],
};

const problems: Readonly<Record<number, string>> = {
  400: 'The body can not be read.',
  401: 'The credential is missing or unknown.',
  403: 'The credential lacks the scope events:write.',
  404: 'There is no such dead letter.',
  409: 'The state of the dead letter, or its kind, does not allow it.',
  413: 'More than 10,000 events, 10 MiB inflated, or 1,000,000 JSON values.',
  415: 'The type of the body is not supported.',
  422: 'The request was understood and refused.',
  503: 'Nothing of the request counts. Try again after Retry-After seconds.',
};

export function problemResponses(statuses: readonly number[]): Record<string, unknown> {
  return Object.fromEntries(statuses.map((status) => [status, problemResponse(problems[status] ?? 'A problem.')]));
}
