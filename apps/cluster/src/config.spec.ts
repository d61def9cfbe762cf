import { describe, expect, it } from 'vitest';
import { ConfigInvalid, loadConfig } from '#platform';
import { clusterConfigSchema, environmentWith } from './config.js';

const replicasOf = (args: readonly string[], environment: Record<string, string> = {}) => loadConfig(clusterConfigSchema, environmentWith(args, environment)).TOLLWAY_REPLICAS;
const one = { ingest: 1, aggregator: 1, rating: 1, invoicing: 1, 'billing-api': 1 };

describe('how many processes of each app', () => {
  it.each([
    [[], {}, one],
    [['--replicas', 'aggregator=2,rating=3'], {}, { ...one, aggregator: 2, rating: 3 }],
    [['--replicas=billing-api=16'], {}, { ...one, 'billing-api': 16 }],
    [[], { TOLLWAY_REPLICAS: 'ingest=2' }, { ...one, ingest: 2 }],
    [['--replicas', 'aggregator=2'], { TOLLWAY_REPLICAS: 'ingest=2' }, { ...one, aggregator: 2 }], // What was said now counts.
  ] as const)('%j with %j', (args, environment, expected) => {
    expect(replicasOf(args, environment)).toEqual(expected);
  });

  it.each([
    ['aggregator=0', /from 1 to 16 processes of aggregator/],
    ['aggregator=17', /from 1 to 16 processes of aggregator/],
    ['front=2', /the app is one of ingest, aggregator, rating, invoicing, billing-api/],
    ['aggregator', /Say <app>=<processes>/],
  ])('refuses %s', (text, sentence) => {
    expect(() => replicasOf(['--replicas', text])).toThrow(sentence);
  });
});

it('names every fault at once', () => {
  const load = (): unknown => loadConfig(clusterConfigSchema, { PORT: 'x', KAFKA_PORT: '70000', TOLLWAY_SECRET: 'short', REDIS_URL: 'http://redis' });
  expect(load).toThrow(ConfigInvalid);
  try {
    load();
  } catch (error) {
    expect((error as ConfigInvalid).faults.map((fault) => fault.split(':')[0])).toEqual(['PORT', 'KAFKA_PORT', 'TOLLWAY_SECRET', 'REDIS_URL']);
  }
});

it.each(['http://clickhouse:8123/other', 'https://clickhouse/other?x=1'])('refuses %s, whose path would be another database', (url) => {
  expect(() => loadConfig(clusterConfigSchema, { CLICKHOUSE_URL: url })).toThrow(/CLICKHOUSE_URL: .* without a path/);
});

it.each(['http://clickhouse:8123', 'https://user:secret@clickhouse/?x=1'])('takes %s', (url) => {
  expect(loadConfig(clusterConfigSchema, { CLICKHOUSE_URL: url }).CLICKHOUSE_URL).toBe(url);
});
