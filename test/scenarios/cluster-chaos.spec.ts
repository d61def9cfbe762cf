import { Kafka, logLevel } from 'kafkajs';
import { afterAll, expect, it } from 'vitest';
import { decodeInvoiceIssuedRecord, decodeUsageEventRecord, decodeUsageRatedRecord, decodeUsageThresholdRecord } from '#contracts';
import { letQueuesRest } from '#platform';
import { describeWith } from '#testing';
import { alertRules, dashboardQueries, metricsOfQueries, metricsOfText } from '../deployment/watched-metrics.js';
import { eventually, freePort, isAlive, Product } from './product.js';

// Goal: who dies or stands still while events flow changes neither counts nor invoices. Method: two processes of each app; one of
// each is killed, one aggregator stands still longer than its partitions wait for it, and what was answered by 503 is sent again.

const customers = ['atlas', 'borealis', 'cartwheel'];
const batchSize = 100;
const backlogBatches = 10;
const flowBatches = 120;
const sendersAtOnce = 3;
const brokerStandstillMs = 10_000;
/** Longer than the 15 s after which the group gives a silent member's partitions to others. */
const standstillMs = 18_000;

interface Invoice {
  readonly number: string | null;
  readonly status: string;
  readonly total: string;
  readonly lines: readonly { readonly price_key: string | null; readonly quantity: string; readonly amount: string }[];
}

describeWith('kafka', 'a cluster whose processes die', () => {
  describeWith('redis', 'on Kafka and Redis', () => {
    let product: Product;
    let kafkaPort: number;
    afterAll(async () => {
      if (product === undefined) return;
      expect(await product.stop()).toBe(0);
      await product.dispose();
    }, 90_000);

    /** 100 events of one batch; the first sends of some are answered twice, others not at all. */
    const send = async (batch: number): Promise<void> => {
      const events = Array.from({ length: batchSize }, (_, index) => {
        const nth = batch * batchSize + index;
        const time = Temporal.Instant.from('2027-01-02T00:00:00Z').add({ seconds: nth * 150 }).toString();
        return { id: `event-${nth}`, type: 'api.call', subject: `key-${nth % customers.length}`, time, data: { units: 2 } };
      });
      let answer: { accepted: number } | null = null;
      await eventually(`batch ${batch} is accepted`, async () => {
        const sent = await product.call<{ accepted: number }>('POST /v1/events', { body: { events } }).catch(() => null);
        if (sent?.status === 202) answer = sent.body;
        return answer !== null;
      }, 60_000);
      expect(answer).toMatchObject({ accepted: batchSize, rejected: [] });
    };
    const counted = async (): Promise<string> => {
      const answer = await product.call<{ data?: { value: string }[] }>('GET /v1/meters/calls/usage?from=2027-01-01T00:00:00Z&to=2027-02-01T00:00:00Z').catch(() => null);
      return answer?.body.data?.[0]?.value ?? 'none';
    };
    const signal = (app: string, nth: number, name: NodeJS.Signals): number => {
      const { pid } = product.processesOf(app)[nth] ?? { pid: 0 };
      expect(pid, `${app} ${nth + 1} has said its process`).toBeGreaterThan(0);
      process.kill(pid, name);
      return pid;
    };

    it('counts what was there before its aggregators first ran', async () => {
      kafkaPort = await freePort();
      product = await Product.startCluster({ replicas: 'ingest=2,aggregator=2,rating=2,invoicing=2,billing-api=2', environment: { KAFKA_PORT: String(kafkaPort) } });
      await product.expect(200, 'POST /v1/test-clock', { body: { now: '2027-01-01T00:00:00Z' } });
      await product.expect(201, 'POST /v1/meters', { body: { key: 'calls', name: 'Calls', event_type: 'api.call', aggregation: 'count' } });
      await product.expect(201, 'POST /v1/meters', { body: { key: 'units', name: 'Units', event_type: 'api.call', aggregation: 'sum', value: '$.units' } });
      await product.expect(201, 'POST /v1/plans', {
        body: {
          key: 'flow', name: 'Flow', currency: 'USD', billing_period: 'P1M',
          prices: [
            { key: 'base', name: 'Base fee', type: 'recurring', model: { type: 'flat', amount: '10.00' } },
            { key: 'calls', name: 'Calls', type: 'usage', meter: 'calls', model: { type: 'per_unit', unit_amount: '0.01' }, minimum_amount: '40' },
            { key: 'units', name: 'Units', type: 'usage', meter: 'units', model: { type: 'per_unit', unit_amount: '0.005' } },
          ],
        },
      });
      for (const [index, key] of customers.entries()) {
        await product.expect(201, 'POST /v1/customers', { body: { key, name: key, email: 'billing@example.com', currency: 'USD', subjects: [`key-${index}`] } });
        await product.expect(201, 'POST /v1/subscriptions', { body: { customer: key, plan: 'flow' } });
      }
      await product.expect(200, 'POST /v1/test-clock/advance', { body: { to: '2027-01-31T00:00:00Z' } });
      // Neither has read an event yet, so whoever comes after them begins at the earliest record.
      const first = [0, 1].map((nth) => signal('aggregator', nth, 'SIGSTOP'));
      for (let batch = 0; batch < backlogBatches; batch += 1) await send(batch);
      for (const pid of first) process.kill(pid, 'SIGKILL');
      await eventually('the backlog is counted', async () => (await counted()) === String(backlogBatches * batchSize), 90_000);
    }, 400_000);

    it('counts each event once while one of each app is killed, and the broker and an aggregator stand still', async () => {
      let next = backlogBatches;
      const last = backlogBatches + flowBatches;
      const sender = async (): Promise<void> => {
        while (next < last) {
          const batch = next;
          next += 1;
          await send(batch);
          if (batch % 7 === 0) await send(batch); // Sent twice, as gateways do.
        }
      };
      const strikes = async (): Promise<void> => {
        const broker = Number(/^Kafka \(process (\d+)/m.exec(product.output())?.[1] ?? '0');
        expect(broker).toBeGreaterThan(0);
        process.kill(broker, 'SIGSTOP');
        await new Promise((resolve) => setTimeout(resolve, brokerStandstillMs));
        process.kill(broker, 'SIGCONT');
        for (const [nth, app] of ['aggregator', 'rating', 'invoicing', 'ingest', 'billing-api'].entries()) {
          await eventually('more was sent', async () => next >= backlogBatches + (nth + 1) * 12, 120_000);
          signal(app, 0, 'SIGKILL');
        }
        const pid = signal('aggregator', 1, 'SIGSTOP');
        await new Promise((resolve) => setTimeout(resolve, standstillMs));
        process.kill(pid, 'SIGCONT');
      };
      await Promise.all([...Array.from({ length: sendersAtOnce }, sender), strikes()]);
      await eventually(`all is counted; ${await counted()} are`, async () => (await counted()) === String(last * batchSize), 120_000);
      await eventually('the killed ones are back', async () =>
        ['ingest', 'aggregator', 'rating', 'invoicing', 'billing-api'].every((app) => product.processesOf(app).length === 2 && product.processesOf(app).every(({ pid }) => isAlive(pid))), 60_000);
    }, 400_000);

    it('makes each invoice once while those who make it are killed', async () => {
      const advance = { body: { to: '2027-02-01T02:00:00Z' } };
      const advanced = eventually('the clock is advanced', async () => (await product.call('POST /v1/test-clock/advance', advance).catch(() => null))?.status === 200, 200_000);
      signal('rating', 1, 'SIGKILL');
      await new Promise((resolve) => setTimeout(resolve, 400));
      signal('invoicing', 1, 'SIGKILL');
      await advanced;
      // 13,000 events; the first of them goes to atlas, so atlas has 4,334 and the others 4,333 each.
      const expected = [
        { customer: 'atlas', calls: '43.34', units: '43.34', total: '96.68' }, // 4,334 × 0.01; 8,668 × 0.005; with February's base fee of 10.00.
        { customer: 'borealis', calls: '43.33', units: '43.33', total: '96.66' },
        { customer: 'cartwheel', calls: '43.33', units: '43.33', total: '96.66' },
      ];
      const numbers: (string | null)[] = [];
      for (const { customer, calls, units, total } of expected) {
        const { data } = await product.expect<{ data: Invoice[] }>(200, `GET /v1/invoices?customer=${customer}`);
        expect(data.map((invoice) => invoice.total), customer).toEqual([total, '10.00']);
        expect(Object.fromEntries((data[0]?.lines ?? []).map(({ price_key: key, amount }) => [key, amount]))).toEqual({ base: '10.00', calls, units });
        numbers.push(...data.map(({ number }) => number));
      }
      expect(new Set(numbers).size).toBe(2 * customers.length);
    }, 300_000);

    it('tells any consumer what happened, what was rated and what was issued', async () => {
      letQueuesRest(); // Else it warns of a timer whose time is negative.
      const consumer = new Kafka({ brokers: [`127.0.0.1:${kafkaPort}`], clientId: 'warehouse', logLevel: logLevel.NOTHING }).consumer({ groupId: 'warehouse' });
      const seen = new Map<string, { key: string; value: string }[]>([['tollway.usage-events', []], ['tollway.usage-rated', []], ['tollway.usage-thresholds', []], ['tollway.invoice-issued', []]]);
      const recordsOf = (topic: string): readonly { key: string; value: string }[] => seen.get(topic) ?? [];
      const issued = () => new Map(recordsOf('tollway.invoice-issued').map(({ value }) => decodeInvoiceIssuedRecord(value)).map((fact) => [fact.number, fact]));
      const final = () => new Map(recordsOf('tollway.usage-rated').map(({ value }) => decodeUsageRatedRecord(value)).filter((fact) => fact.final).map((fact) => [fact.subscription, fact]));
      const crossed = () => recordsOf('tollway.usage-thresholds').map(({ value }) => decodeUsageThresholdRecord(value)).map(({ subscription, period_index: index, ref, bound }) => `${subscription} ${index} ${ref} ${bound}`);
      await consumer.connect();
      try {
        await consumer.subscribe({ topics: [...seen.keys()], fromBeginning: true });
        await consumer.run({
          eachMessage: async ({ topic, message }) => void seen.get(topic)?.push({ key: message.key?.toString() ?? '', value: message.value?.toString() ?? '' }),
        });
        await eventually('facts are seen', async () => recordsOf('tollway.usage-events').length >= batchSize && issued().size >= 2 * customers.length && final().size >= customers.length && new Set(crossed()).size >= customers.length);
      } finally {
        await consumer.disconnect();
      }
      expect(recordsOf('tollway.usage-events').every(({ key, value }) => key !== '' && decodeUsageEventRecord(value).id.startsWith('event-'))).toBe(true);
      // As the invoices above: January's fees, then those of February with January's usage; rated was January, 10.00 + 43.34 + 43.34 and twice 0.02 less.
      expect([...issued().values()].map(({ total }) => total).sort()).toEqual(['10.00', '10.00', '10.00', '96.66', '96.66', '96.68']);
      expect([...final().values()].map(({ total }) => total).sort()).toEqual(['96.66', '96.66', '96.68']);
      // Each customer's calls came to more than their minimum of 40, once, whoever was killed meanwhile; a record may come twice.
      expect([...new Set(crossed())].sort()).toEqual([...final().keys()].map((subscription) => `${subscription} 1 calls/minimum 40`).sort());
    }, 60_000);

    it('tells lags, and what every alert looks at, on its processes together', async () => {
      const apps = ['ingest', 'aggregator', 'rating', 'invoicing', 'billing-api', 'front'];
      let texts: string[] = [];
      // Who was killed last may still be on its way back.
      await eventually('each process tells its metrics', async () => {
        const asked = apps.flatMap((app) => product.processesOf(app)).map(async ({ port }) => (await fetch(`http://127.0.0.1:${port}/metrics`)).text());
        texts = await Promise.all(asked).catch(() => []);
        return texts.length > 0;
      });
      const told = new Set(texts.flatMap(metricsOfText));
      for (const metric of metricsOfQueries([...alertRules().map(({ expr }) => expr), ...dashboardQueries()])) expect(told).toContain(metric);
      const lags = texts.flatMap((text) => text.match(/^tollway_log_lag_records\{topic="tollway.usage-events".*$/gm) ?? []);
      expect(lags.length).toBeGreaterThanOrEqual(2 * 8); // Each of two aggregators tells all eight partitions.
      expect(lags.every((line) => line.endsWith('group="aggregator"} 0'))).toBe(true);
      for (const store of ['postgres', 'clickhouse', 'kafka', 'redis']) expect(texts.some((text) => text.includes(`tollway_dependency_up{dependency="${store}"} 1`)), store).toBe(true);
    });
  });
});
