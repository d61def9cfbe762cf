import fastify from 'fastify';
import { Module } from '@nestjs/common';
import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { createHttpApp, makeIds, systemClock, type EventLog, type NewLogRecord } from '#platform';
import { ingestConfigSchema } from '../config.js';
import { registerIngestRoutes, type IngestDependencies } from './ingest-routes.js';
import { ingestOpenApi } from './open-api.js';

class EmptyModule {}
Module({})(EmptyModule);

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** What is appended stays in memory: here only the routes around it are looked at. */
function dependencies(appended: NewLogRecord[]): IngestDependencies {
  const append: EventLog['append'] = (_topic, records) => {
    appended.push(...records);
    return Promise.resolve([]);
  };
  return {
    log: { append } as EventLog,
    clock: systemClock, ids: makeIds(), logger: pino({ level: 'silent' }), bodyBytesMax: ingestConfigSchema.parse({}).INGEST_BODY_BYTES_MAX,
    authenticator: { authenticate: (key) => Promise.resolve(key === 'key' ? { organizationId: 'org_1', mode: 'test', credentialId: 'key_1', scopes: new Set(['events:write']) } : null) },
    businessNow: () => Promise.resolve(Temporal.Now.instant()),
    rawRetentionSeconds: () => Promise.resolve(null),
    findEventSource: () => Promise.resolve(null),
    readEventSource: () => Promise.resolve(null),
    findCurrentMeters: () => Promise.resolve([]),
    findDeadLetter: () => Promise.resolve(null),
    listDeadLetters: () => Promise.resolve([]),
    serverSecret: 'a secret of at least 32 characters',
  };
}

describe('ingestOpenApi', () => {
  it('has every route, and no other', async () => {
    const app = fastify();
    const routes: string[] = [];
    app.addHook('onRoute', ({ method, url }) => void routes.push(`${String(method).toLowerCase()} ${url}`));
    registerIngestRoutes(app, dependencies([]));
    await app.ready();
    closing.push(() => app.close());
    const documented = Object.entries(ingestOpenApi).flatMap(([path, item]) => Object.keys(item).map((method) => `${method} ${path.replace(/\{(\w+)\}/g, ':$1')}`));
    expect(routes.sort()).toEqual(documented.sort());
  });

  it('refers to nothing but the problem', () => {
    const references = JSON.stringify(ingestOpenApi).match(/"\$ref":"[^"]*"/g) ?? [];
    expect(new Set(references)).toEqual(new Set(['"$ref":"#/components/schemas/Problem"']));
  });
});

describe('registerIngestRoutes', () => {
  it('lives beside Nest: its bodies are its own, errors and request ids are the house\'s', async () => {
    const appended: NewLogRecord[] = [];
    const deps = dependencies(appended);
    const app = await createHttpApp({
      module: EmptyModule, logger: deps.logger, authenticator: deps.authenticator, decimalFields: new Set(['amount']), routes: [(instance) => registerIngestRoutes(instance, deps)],
    });
    await app.listen(0, '127.0.0.1');
    closing.push(() => app.close());
    const post = async (body: string, key = 'key') => fetch(`${await app.getUrl()}/v1/events`, { method: 'POST', headers: { 'x-api-key': key, 'content-type': 'application/json' }, body });
    // A number in a field called amount would be text by now if the parser of other routes had seen it, and a megabyte refused.
    const accepted = await post(`{"id":"e","type":"t","subject":"s","data":{"amount":1.50}}${' '.repeat(2 * 1_024 * 1_024)}`);
    expect(accepted.status).toBe(202);
    expect(JSON.parse(appended[0]?.value ?? '')).toMatchObject({ data: '{"amount":1.5}' });
    const refused = await post('{}', 'wrong');
    expect([refused.status, await refused.json()]).toEqual([401, expect.objectContaining({ code: 'unauthorized', request_id: refused.headers.get('x-request-id') })]);
  });
});
