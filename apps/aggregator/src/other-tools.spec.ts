import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkEvent, combinedEvent, parseCombinedLine } from '#domain';
import { describeWith, useClickHouse, usePostgres } from '#testing';
import { AggregatorFixture, type TestEvent } from './aggregator-fixture.js';

// Goal: Tollway counts a real access log as tools that share no code with it. Method: Python's fractions and zoneinfo, numpy and gawk
// count the same log; each answer of ours, from raw events and from rollups, is theirs to the last digit. The log's lines are asked a
// second time with decimals of 18 digits, moved to days on which Berlin sets its clocks back.

usePostgres();
useClickHouse();

const zones = ['Europe/Berlin', 'Asia/Kolkata'];
const meters = ['count', 'sum', 'avg', 'unique', 'p50', 'p95', 'p99.9'];
const questions = (['real', 'moved'] as const).flatMap((set) => zones.flatMap((zone) => ['hour', 'day'].map((unit) => ({ set, zone, unit }))));
const range = { from: '2015-05-01T00:00:00Z', to: '2015-11-30T00:00:00Z' };
const bounds = { latest: { seconds: 1_500_000_000, micros: 0 }, oldest: null, receipt: '' };
const outputMaxBytes = 64 * 1024 * 1024;

interface Counted {
  readonly events: readonly { readonly time: string; readonly client: string; readonly cost: string }[];
  readonly answers: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** What another program writes when it reads the log. */
function outputOf(program: string, parameters: readonly string[], log: string): string {
  const { status, stdout, stderr } = spawnSync(program, parameters, { input: log, encoding: 'utf8', maxBuffer: outputMaxBytes });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  return stdout;
}

function realEvent(line: string, number: number): TestEvent {
  const parsed = parseCombinedLine(line);
  const checked = checkEvent(parsed === null ? null : combinedEvent(parsed, { source: 'log', id: String(number) }, 'client'), bounds);
  if (!checked.ok) throw new Error(`Line ${number} of the log makes no event.`);
  return checked.event;
}

function movedEvents({ events }: Counted): TestEvent[] {
  return events.map(({ time, client, cost }, number) => ({
    id: String(number), source: 'moved', type: 'moved', subject: client, time,
    // Every other one as a JSON number, the rest as a decimal string: they count alike.
    data: `{"client":${JSON.stringify(client)},"n":${number % 2 === 0 ? cost : JSON.stringify(cost)}}`,
  }));
}

function byStart(rows: unknown): Record<string, string> {
  return Object.fromEntries((rows as string[]).map((row) => row.split(' ')));
}

describeWith('access-log', 'a real access log', () => {
  describeWith('numpy', 'beside numpy and fractions', () => {
    let fixture: AggregatorFixture;
    let counted: Counted;
    let log: string;

    beforeAll(async () => {
      log = readFileSync(process.env['TOLLWAY_ACCESS_LOG'] ?? '', 'utf8');
      counted = JSON.parse(outputOf('python3', [join(import.meta.dirname, 'fixtures', 'count_with_python.py')], log)) as Counted;
      fixture = await AggregatorFixture.start();
      await fixture.addOrganizations(['org_a']);
      for (const [set, eventType, valuePath] of [['real', 'http.request', '$.bytes'], ['moved', 'moved', '$.n']] as const) {
        await fixture.addMeter({ key: `${set}-count`, eventType });
        await fixture.addMeter({ key: `${set}-unique`, eventType, aggregation: 'unique_count', valuePath: '$.client' });
        for (const aggregation of ['sum', 'avg'] as const) await fixture.addMeter({ key: `${set}-${aggregation}`, eventType, aggregation, valuePath });
        for (const percentile of ['50', '95', '99.9']) await fixture.addMeter({ key: `${set}-p${percentile}`, eventType, aggregation: 'percentile', percentile, valuePath });
      }
      await fixture.deliver(log.trimEnd().split('\n').map(realEvent));
      await fixture.deliver(movedEvents(counted), { position: 10_000 });
    }, 180_000);
    afterAll(() => fixture.close());

    describe.each([
      ['raw events', async () => undefined],
      ['rollups', async () => {
        while ((await fixture.build.execute()) > 0);
        while ((await fixture.recompute().execute()) > 0);
      }],
    ])('from %s', (_, prepare) => {
      beforeAll(prepare, 180_000);

      it.each(questions)('$set lines in $zone by $unit', async ({ set, zone, unit }) => {
        const answers = await Promise.all(meters.map((meter) => fixture.ask(`${set}-${meter}`, { ...range, window: unit, time_zone: zone })));
        for (const [index, meter] of meters.entries()) expect(byStart(answers[index]), meter).toEqual(counted.answers[`${set} ${meter} ${zone} ${unit}`]);
      });
    });

    it('has seen an hour that Berlin’s clocks show twice', () => {
      const hours = Object.keys(counted.answers['moved count Europe/Berlin hour'] ?? {});
      expect(hours).toEqual(expect.arrayContaining(['2015-10-25T00:00:00Z', '2015-10-25T01:00:00Z']));
      expect(Object.keys(counted.answers['moved count Europe/Berlin day'] ?? {})).toEqual(['2015-10-23T22:00:00Z', '2015-10-24T22:00:00Z', '2015-10-25T23:00:00Z', '2015-10-26T23:00:00Z']);
    });

    describeWith('gawk', 'beside gawk', () => {
      it('sums the same bytes of each day', async () => {
        const program = String.raw`match($0, /\[([^:]+):.*" [0-9]+ ([0-9]+|-)( |$)/, part) { sum[part[1]] += part[2] } END { for (day in sum) printf "%s %d\n", day, sum[day] }`;
        const byDay = outputOf('gawk', [program], log).trim().split('\n').map((line) => line.split(' ') as [string, string]);
        const days = Object.fromEntries(byDay.map(([day, sum]) => [`2015-05-${day.slice(0, 2)}T00:00:00Z`, sum]));
        expect(byStart(await fixture.ask('real-sum', { ...range, window: 'day' }))).toEqual(days);
      });
    });
  });
});
