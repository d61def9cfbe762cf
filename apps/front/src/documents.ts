import type { FastifyInstance } from 'fastify';
import { Problem } from '#platform';
import { appNames, type AppName } from './route-table.js';
import type { Upstreams } from './upstreams.js';

type PathItems = Record<string, Record<string, unknown>>;

interface OpenApi {
  readonly paths: PathItems;
  readonly components?: Record<string, Record<string, unknown>>;
  readonly tags?: readonly unknown[];
}

const askTimeoutMs = 5_000;
/** The app whose files show the documents: each has them. */
const docsApp: AppName = 'billing-api';

/** Shows the documents of all apps as one. An app that is away has its last known ones. */
export function serveMergedDocuments(fastify: FastifyInstance, upstreams: Upstreams): void {
  const known = new Map<AppName, OpenApi>();
  fastify.get('/openapi.json', async () => {
    await Promise.all(appNames.map(async (app) => {
      const document = await ask(upstreams, { app, path: '/openapi.json' }).then((answer) => answer.json() as Promise<OpenApi>).catch(() => null);
      if (document !== null) known.set(app, document);
    }));
    const documents = appNames.map((app) => known.get(app) ?? away(app));
    return mergeDocuments(documents);
  });
  fastify.get('/docs/swagger-ui-init.js', async (_request, reply) => reply.header('content-type', 'text/javascript; charset=utf-8').send(showOurs));
  for (const path of ['/docs', '/docs/*']) {
    fastify.get(path, async (request, reply) => {
      const answer = await ask(upstreams, { app: docsApp, path: request.url }).catch(() => away(docsApp));
      const type = answer.headers.get('content-type');
      return reply.status(answer.status).headers(type === null ? {} : { 'content-type': type }).send(Buffer.from(await answer.arrayBuffer()));
    });
  }
}

const showOurs = `window.onload = () => {
  window.ui = SwaggerUIBundle({ url: '/openapi.json', dom_id: '#swagger-ui', deepLinking: true, presets: [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset], layout: 'StandaloneLayout' });
};
`;

async function ask(upstreams: Upstreams, { app, path }: { app: AppName; path: string }): Promise<Response> {
  const upstream = upstreams.pick(app) ?? away(app);
  return fetch(new URL(path, upstream.url), { signal: AbortSignal.timeout(askTimeoutMs) });
}

function away(app: AppName): never {
  throw new Problem({ status: 503, code: 'app_unavailable', detail: `The app ${app} does not answer. Try again.`, headers: { 'retry-after': '1' } });
}

/** One document of several: a path may have methods in more than one, and what they share they say alike. */
export function mergeDocuments(documents: readonly OpenApi[]): OpenApi {
  const paths: PathItems = {};
  const components: Record<string, Record<string, unknown>> = {};
  for (const document of documents) {
    for (const [path, item] of Object.entries(document.paths)) paths[path] = { ...paths[path], ...item };
    for (const [kind, items] of Object.entries(document.components ?? {})) components[kind] = { ...components[kind], ...items };
  }
  const sorted = Object.fromEntries(Object.entries(paths).toSorted(([left], [right]) => (left < right ? -1 : 1)));
  return { ...documents[0], paths: sorted, components };
}
