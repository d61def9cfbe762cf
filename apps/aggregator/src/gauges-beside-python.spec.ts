import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWith, useClickHouse, usePostgres } from '#testing';
import { AggregatorFixture } from './aggregator-fixture.js';

// Goal: unit-hours as a program that shares no code with Tollway has them. Method: Python makes gauges up, with decimals of 18 digits and
// times to the microsecond, and integrates each window by itself in fractions; each answer of ours, from raw events, from rollups and from
// both, is Python's to the last digit, and windows add up to the whole.

usePostgres();
useClickHouse();

interface Counted {
  readonly from: string;
  readonly to: string;
  readonly events: readonly { readonly id: string; readonly time: string; readonly subject: string; readonly folder: string; readonly value: string }[];
  readonly answers: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

const zones = ['Europe/Berlin', 'Asia/Kolkata'];
const questions = zones.flatMap((zone) => ['hour', 'day', 'whole'].flatMap((unit) => ['all', 'folder', 'subject'].map((group) => ({ zone, unit, group }))));

describeWith('python', 'gauges beside Python', () => {
  let fixture: AggregatorFixture;
  let counted: Counted;

  beforeAll(async () => {
    const { stdout, stderr } = spawnSync('python3', [join(import.meta.dirname, 'fixtures', 'count_gauges_with_python.py')], { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
    expect(stderr).toBe('');
    counted = JSON.parse(stdout) as Counted;
    fixture = await AggregatorFixture.start();
    await fixture.addOrganizations(['org_a']);
    await fixture.addMeter({ key: 'held', aggregation: 'time_weighted_sum', valuePath: '$.v', groupBy: { folder: '$.folder' } });
    const events = counted.events.map(({ id, time, subject, folder, value }, index) => ({ id, time, subject, data: `{"folder":"${folder}","v":${index % 2 === 0 ? value : `"${value}"`}}` }));
    await fixture.deliver(events);
  }, 120_000);
  afterAll(() => fixture.close());

  async function ask({ zone, unit, group }: (typeof questions)[number]): Promise<Record<string, string>> {
    const rows = await fixture.ask('held', { from: counted.from, to: counted.to, time_zone: zone, ...(unit === 'whole' ? {} : { window: unit }), ...(group === 'all' ? {} : { group_by: group }) });
    return Object.fromEntries((rows as string[]).map((row) => {
      const [start = '', ...rest] = row.split(' ');
      return [[Temporal.Instant.from(start).toString({ fractionalSecondDigits: 6 }).slice(0, -1), ...rest.slice(0, -1)].join(' '), rest.at(-1) ?? ''];
    }));
  }

  it.each(questions)('from raw events: $group in $zone by $unit', async (question) => {
    expect(await ask(question)).toEqual(counted.answers[`${question.group} ${question.zone} ${question.unit}`]);
  });

  it.each(questions)('from rollups: $group in $zone by $unit', async (question) => {
    while ((await fixture.build.execute()) > 0);
    while ((await fixture.recompute().execute()) > 0);
    expect(await ask(question)).toEqual(counted.answers[`${question.group} ${question.zone} ${question.unit}`]);
  });

  it.each(zones)('windows in %s add up to the whole', async (zone) => {
    const whole = Object.values(await ask({ zone, unit: 'whole', group: 'all' }))[0];
    for (const unit of ['hour', 'day']) {
      const units = Object.values(await ask({ zone, unit, group: 'all' })).map((value) => {
        const [before = '', after = ''] = value.replace('-', '').split('.');
        return BigInt(before + after.padEnd(18, '0')) * (value.startsWith('-') ? -1n : 1n);
      });
      const sum = units.reduce((a, b) => a + b);
      const text = (sum < 0n ? -sum : sum).toString().padStart(19, '0');
      expect(`${sum < 0n ? '-' : ''}${text.slice(0, -18)}.${text.slice(-18)}`.replace(/\.?0+$/, '')).toBe(whole);
    }
  });
});
