import { readFileSync } from 'node:fs';
import { afterAll, expect, it } from 'vitest';
import { describeWith } from '#testing';
import { alertRules, dashboardQueries, metricsOfQueries, metricsOfText } from '../deployment/watched-metrics.js';
import { eventually, Product } from './product.js';

// Goal: an alert can't be silent because its metric is not there, and a lag is seen. Method: a running product is asked. The front's
// own metrics, and Kafka's lag, are asked on the cluster in the chaos scenario.

const isOfFront = (name: string): boolean => name.startsWith('tollway_front_');

describeWith('clickhouse', 'what a running product tells Prometheus', () => {
  let product: Product;
  afterAll(async () => {
    if (product === undefined) return;
    expect(await product.stop()).toBe(0);
    await product.dispose();
  }, 60_000);

  const metrics = async (): Promise<string> => (await product.call<string>('GET /metrics')).body;
  const valueOf = async (series: string): Promise<number> => Number((await metrics()).split('\n').find((line) => line.startsWith(`${series} `))?.slice(series.length + 1));

  it('is every metric of the alerts, the dashboard and the list', async () => {
    product = await Product.start();
    const told = metricsOfText(await metrics());
    const watched = metricsOfQueries([...alertRules().map(({ expr }) => expr), ...dashboardQueries()]);
    expect(told).toEqual(expect.arrayContaining(watched.filter((name) => !isOfFront(name))));
    const listed = [...readFileSync('docs/runbooks/README.md', 'utf8').matchAll(/^\| `(tollway_\w+)` \|/gm)].map(([, name = '']) => name);
    expect(told).toEqual(listed.filter((name) => !isOfFront(name)).sort());
  }, 120_000);

  it('counts events, dead letters, requests and what was behind', async () => {
    const events = [{ id: 'e1', type: 'api.call', subject: 's' }, { id: 'e2', type: 'api.call', subject: 's' }, { id: 'e3' }];
    await product.expect(202, 'POST /v1/events', { body: { events } });
    await eventually('the refused event is a dead letter', async () => (await valueOf('tollway_dead_letters_total{kind="refused"}')) === 1);
    await eventually('the events are counted', async () => (await valueOf('tollway_usage_freshness_seconds_count')) >= 1);
    const text = await metrics();
    expect(text).toContain('tollway_events_total{outcome="accepted"} 2');
    expect(text).toContain('tollway_events_total{outcome="refused"} 1');
    expect(text).toMatch(/^tollway_http_request_seconds_count\{method="POST",route="\/v1\/events",status="202"\} 1$/m);
    expect(text).toMatch(/^tollway_usage_lag_seconds\{organization="org_\w+"\} \d/m);
    expect(text).toMatch(/^tollway_invoices_waiting_for_usage_seconds 0$/m);
    expect(text).toMatch(/^tollway_payment_outbox 0$/m);
    for (const store of ['postgres', 'clickhouse']) expect(text).toContain(`tollway_dependency_up{dependency="${store}"} 1`);
    await eventually('nothing is behind', async () => {
      const lags = (await metrics()).match(/^tollway_log_lag_(?:records|seconds)\{.*\} (\S+)$/gm) ?? [];
      // Two gauges of 4 + 1 partitions that the aggregator reads, and of those that rating reads.
      return lags.length >= 2 * 6 && lags.every((line) => line.endsWith('} 0'));
    });
  }, 60_000);
});
