const otlpRequest = {
  type: 'object',
  description: 'ExportLogsServiceRequest in its JSON form.',
  properties: {
    resourceLogs: {
      type: 'array',
      items: { type: 'object', properties: { resource: { type: 'object' }, scopeLogs: { type: 'array', items: { type: 'object', properties: { logRecords: { type: 'array', items: { type: 'object' } } } } } } },
    },
  },
};
const otlpAnswer = { type: 'object', properties: { partialSuccess: { type: 'object', properties: { rejectedLogRecords: { type: 'string' }, errorMessage: { type: 'string' } } } } };
const otlpStatus = { type: 'object', required: ['code', 'message'], properties: { code: { type: 'integer' }, message: { type: 'string' } } };

const bytes = { schema: { type: 'string', format: 'binary' } };
const problems: Readonly<Record<number, string>> = {
  400: 'The body is no ExportLogsServiceRequest.', 401: 'The credential is missing or unknown.', 403: 'The credential lacks the scope events:write.', 413: 'More than 10,000 records, 10 MiB inflated, or 1,000,000 JSON values.',
  415: 'The type of the body is not supported.', 503: 'Nothing of the request counts. Try again after Retry-After seconds.',
};

export const otlpOpenApi = {
  '/v1/logs': {
    post: {
      operationId: 'postOtlpLogs',
      summary: 'Report usage as OpenTelemetry log records (OTLP over HTTP)',
      description: [
        'Type: the record’s eventName, else its body where that is a text. Subject: the attribute customer.id, else enduser.id, of the record or else of its resource. Identity: the attribute event.id, else traceId and spanId,',
        'else what the record says and its ordinal among equal ones of the request. Data: the attributes. Records that are refused are counted in partialSuccess and kept in the dead letters. Answers are in the encoding of the request.',
      ].join(' '),
      tags: ['events'],
      requestBody: { required: true, content: { 'application/json': { schema: otlpRequest }, 'application/x-protobuf': bytes } },
      responses: {
        200: { description: 'What was accepted is durable.', content: { 'application/json': { schema: otlpAnswer }, 'application/x-protobuf': bytes } },
        ...Object.fromEntries(Object.entries(problems).map(([status, description]) => [status, { description, content: { 'application/json': { schema: otlpStatus }, 'application/x-protobuf': bytes } }])),
      },
    },
  },
};
