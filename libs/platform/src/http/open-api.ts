import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { z } from 'zod';
import { apiVersion } from './api-version.js';
import { NamedSchemas } from './named-schemas.js';
import { schemaOf } from './open-api-parts.js';

type PathItems = OpenAPIObject['paths'];

export interface OpenApiOptions {
  /** Routes that live on the Fastify instance itself, and so are unknown to Nest. */
  readonly paths?: PathItems;
}

const problemSchema = {
  type: 'object' as const,
  description: 'RFC 9457.',
  required: ['type', 'title', 'status', 'detail', 'code', 'request_id'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    code: { type: 'string', description: 'What to branch on.' },
    request_id: { type: 'string' },
    errors: {
      type: 'array',
      description: 'Every fault of the input.',
      items: {
        type: 'object',
        required: ['pointer', 'code', 'detail'],
        properties: { pointer: { type: 'string', description: 'RFC 6901, into the body.' }, code: { type: 'string' }, detail: { type: 'string' } },
      },
    },
  },
};

const operational: PathItems = Object.fromEntries(
  [['/healthz', 'Whether the process lives'], ['/readyz', 'Whether its stores answer'], ['/metrics', 'Metrics for Prometheus']].map(([path, summary]) => [
    path as string,
    { get: { summary: summary as string, tags: ['operation'], security: [], responses: { 200: { description: 'Yes.' } } } },
  ]),
);

/** The OpenAPI 3.1 document of all routes. Schemas are those that validate the requests. */
export function openApiDocument(app: NestFastifyApplication, options: OpenApiOptions = {}): OpenAPIObject {
  const config = new DocumentBuilder()
    .setTitle('Tollway')
    .setDescription('Usage metering and billing for companies that sell an API as a product.')
    .setVersion(apiVersion)
    .setOpenAPIVersion('3.1.0')
    .addBearerAuth({ type: 'http', scheme: 'bearer', description: 'An API key.' }, 'bearer')
    .addApiKey({ type: 'apiKey', in: 'header', name: 'X-API-Key' }, 'api_key')
    .addSecurityRequirements('bearer')
    .addSecurityRequirements('api_key')
    .build();
  const document = SwaggerModule.createDocument(app, config, {
    standardSchemaConverter: (schema, { schemaType }) => (schema instanceof z.ZodType ? { schema: schemaOf(schema, schemaType) } : undefined),
  });
  const { paths, schemas } = NamedSchemas.of(mergePaths(document.paths, options.paths ?? {}, operational));
  document.paths = paths as PathItems;
  document.components = { ...document.components, schemas: { ...document.components?.schemas, ...(schemas as Record<string, typeof problemSchema>), Problem: problemSchema } };
  return document;
}

/** A path may have methods in more than one app: one lists what another takes. */
function mergePaths(...all: readonly PathItems[]): PathItems {
  const merged: PathItems = {};
  for (const [path, item] of all.flatMap((paths) => Object.entries(paths))) merged[path] = { ...merged[path], ...item };
  return merged;
}

/** Serves `/openapi.json` and, with the files of its package and nothing from elsewhere, `/docs`. To be called once, before the app listens. */
export function serveDocuments(app: NestFastifyApplication, options: OpenApiOptions = {}): void {
  const document = openApiDocument(app, options);
  SwaggerModule.setup('docs', app, document, { jsonDocumentUrl: 'openapi.json', raw: ['json'], customSiteTitle: 'Tollway API' });
}
