import fastify from 'fastify';
import { describe, expect, it } from 'vitest';
import type { Scope } from '#contracts';
import { authenticating } from './authenticate.js';
import { principalOf, type Authenticator, type Principal } from './principal.js';
import { sendProblem, toProblem } from './problem-filter.js';

// Goal: a hook that needs no promise refuses as one that does. Method: the same requests with an authenticator that answers at once and one that has to look.

const principal = (scope: Scope): Principal => ({ organizationId: 'org_1', mode: 'test', credentialId: 'key_1', scopes: new Set([scope]) });
const known = new Map([['writer', principal('events:write')], ['reader', principal('usage:read')]]);
const look = (credential: string): Principal | null => {
  if (credential === 'broken') throw new Error('The store is away.');
  return known.get(credential) ?? null;
};
const authenticators: Readonly<Record<string, Authenticator>> = { 'at once': { authenticate: look }, 'after a look': { authenticate: async (credential) => look(credential) } };

describe.each(Object.entries(authenticators))('a hook that learns who calls %s', (_name, authenticator) => {
  it.each([
    ['a known key', 'Bearer writer', 200, 'org_1'],
    ['an unknown key', 'Bearer nobody', 401, 'unauthorized'],
    ['a key that lacks the scope', 'Bearer reader', 403, 'scope_missing'],
    ['no key', '', 401, 'unauthorized'],
    ['a key longer than any', `Bearer ${'k'.repeat(4_097)}`, 401, 'unauthorized'],
    ['a key that can not be looked up', 'Bearer broken', 500, 'internal_error'],
  ])('answers %s', async (_case, authorization, status, answer) => {
    const app = fastify();
    app.setErrorHandler((error, _request, reply) => sendProblem(reply, toProblem(error)));
    app.addHook('onRequest', authenticating(authenticator, 'events:write'));
    app.get('/', (request) => ({ code: principalOf(request).organizationId }));
    const response = await app.inject({ url: '/', headers: { authorization } });
    expect([response.statusCode, response.json<{ code: string }>().code]).toEqual([status, answer]);
    await app.close();
  });
});
