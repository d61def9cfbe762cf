import { describe, expect, it } from 'vitest';
import { parseArguments } from './arguments.ts';
import { comparisonReading, figureReading } from './reading.ts';
import { jsonLineOf, short, tableOf } from './report.ts';
import { alternate, type Pair, type Side } from './rounds.ts';
import { medianOf, percentileOf, spreadOf } from './statistics.ts';

// Goal: the figures that the benches print are what was measured. Method: hand-made rounds on a clock that is set by hand.

describe('statistics', () => {
  it.each([
    [[3], 3],
    [[9, 1, 5], 5],
    [[4, 1, 10, 2], 3], // (2 + 4) / 2
    [[10, 9, 100], 10], // By number, not by text.
  ])('the median of %j is %s', (values, median) => {
    expect(medianOf(values)).toBe(median);
  });

  it('spans from the least to the greatest and leaves its input alone', () => {
    const values = [5, 2, 11];
    expect(spreadOf(values)).toEqual({ median: 5, min: 2, max: 11 });
    expect(values).toEqual([5, 2, 11]);
  });

  it.each([
    [50, 5], // Of ten values the fifth: 5 of 10 do not exceed it.
    [95, 10], // Nine of ten are too few.
    [90, 9],
    [0, 1],
    [100, 10],
  ])('percentile %s of 1 to 10 is %s', (percent, value) => {
    expect(percentileOf([7, 1, 3, 10, 5, 9, 2, 8, 6, 4], percent)).toBe(value);
  });

  it('refuses what it can make nothing of', () => {
    expect(() => medianOf([])).toThrow(RangeError);
    expect(() => spreadOf([1, Number.NaN])).toThrow(RangeError);
  });
});

describe('rounds', () => {
  interface Script {
    readonly name: string;
    readonly milliseconds: readonly number[];
    readonly answers?: readonly string[];
    readonly units?: number;
  }

  function bench() {
    const time = { now: 0, cpu: 0 };
    const seen: string[] = [];
    const side = ({ name, milliseconds, answers, units = 100 }: Script): Side => {
      let runs = 0;
      return {
        prepare: async () => {
          seen.push(`${name} prepares`);
          time.now += 5_000; // Must not be timed, nor its CPU counted.
          time.cpu += 5;
        },
        run: async () => {
          seen.push(name);
          time.now += milliseconds[runs] ?? 0;
          time.cpu += 0.25;
          runs += 1;
          return units;
        },
        answer: async () => answers?.[runs - 1] ?? 'same',
        cpuSeconds: () => time.cpu,
      };
    };
    return { seen, side, now: () => time.now };
  }

  it('alternates, and keeps all rounds but the warm-up', async () => {
    const { seen, side, now } = bench();
    const sides = { ours: side({ name: 'A', milliseconds: [900, 400, 500] }), floor: side({ name: 'B', milliseconds: [800, 200, 300] }) };
    const pairs = await alternate(sides, { rounds: 2, warmUps: 1, now });
    expect(seen).toEqual(['A prepares', 'A', 'B prepares', 'B', 'A prepares', 'A', 'B prepares', 'B', 'A prepares', 'A', 'B prepares', 'B']);
    const sample = (seconds: number) => ({ units: 100, seconds, cpuSeconds: 0.25 });
    expect(pairs).toEqual([
      { ours: sample(0.4), floor: sample(0.2) },
      { ours: sample(0.5), floor: sample(0.3) },
    ]);
  });

  it('refuses a round in which the sides computed different things, the warm-up too', async () => {
    const { side, now } = bench();
    const sides = { ours: side({ name: 'A', milliseconds: [1, 1], answers: ['7', '8'] }), floor: side({ name: 'B', milliseconds: [1, 1], answers: ['7', '9'] }) };
    await expect(alternate(sides, { rounds: 1, warmUps: 1, now })).rejects.toThrow('Round 2 gave two answers: 8 and 9');
  });

  it('refuses a round in which one side did less', async () => {
    const { side, now } = bench();
    const sides = { ours: side({ name: 'A', milliseconds: [1], units: 99 }), floor: side({ name: 'B', milliseconds: [1] }) };
    await expect(alternate(sides, { rounds: 1, warmUps: 0, now })).rejects.toThrow('99 units against 100');
  });
});

describe('readings', () => {
  const pair = (ours: { seconds: number; cpuSeconds: number }, floor: { seconds: number; cpuSeconds: number }): Pair => ({ ours: { units: 1_000, ...ours }, floor: { units: 1_000, ...floor } });
  const words = { name: 'ingest', unit: 'events/s', goal: 'at least 0.60' };
  const pairs = [
    pair({ seconds: 2, cpuSeconds: 0.5 }, { seconds: 1, cpuSeconds: 0.25 }), //    500 to 1000 a second: 0.5; CPU 500 to 250 µs: 2
    pair({ seconds: 4, cpuSeconds: 0.5 }, { seconds: 1, cpuSeconds: 0.1 }), //     250 to 1000: 0.25; 500 to 100 µs: 5
    pair({ seconds: 1, cpuSeconds: 0.75 }, { seconds: 0.5, cpuSeconds: 0.25 }), // 1000 to 2000: 0.5; 750 to 250 µs: 3
  ];

  it('compares the sides of one round with each other', () => {
    expect(comparisonReading(pairs, words)).toEqual({
      ...words,
      ours: { median: 500, min: 250, max: 1_000 },
      floor: { median: 1_000, min: 1_000, max: 2_000 },
      ratio: { median: 0.5, min: 0.25, max: 0.5 },
      cpu: { oursMicrosPerUnit: 500, floorMicrosPerUnit: 250, ratio: 3 },
    });
  });

  it('says nothing of CPU time that could not be read', () => {
    expect(comparisonReading([pair({ seconds: 1, cpuSeconds: 0 }, { seconds: 1, cpuSeconds: 0 })], words).cpu).toBeNull();
  });

  const machine = { cores: 2, cpu: 'A CPU', memoryGb: 24, node: '26.10.0', load: 0.1 };

  it('prints one table', () => {
    const figure = figureReading([812, 640, 1_204], { name: 'freshness p99', unit: 'ms', goal: 'at most 2 000' });
    const lines = tableOf([{ bench: 'ingest', readings: [comparisonReading(pairs, words)] }, { bench: 'freshness', readings: [figure] }], machine).split('\n');
    expect(lines[0]).toBe('2 cores of A CPU, 24 GB, Node 26.10.0, load 0.1 before the start');
    const cells = lines.slice(4).map((line) => line.split('|').slice(1, -1).map((cell) => cell.trim()));
    expect(cells).toEqual([
      ['ingest', 'events/s', '500 (250 to 1 000)', '1 000 (1 000 to 2 000)', '0.500 (0.250 to 0.500)', '500 / 250', '3.00', 'at least 0.60'],
      ['freshness p99', 'ms', '812 (640 to 1 204)', '', '', '', '', 'at most 2 000'],
    ]);
    expect(new Set(lines.slice(2).map((line) => line.length)).size).toBe(1);
  });

  it('prints one line of JSON with the agreed names', () => {
    const line = jsonLineOf({ bench: 'ingest', readings: [comparisonReading(pairs, words)] }, machine);
    expect(line).not.toContain('\n');
    expect(JSON.parse(line)).toMatchObject({ bench: 'ingest', ratio: 0.5, min: 0.25, max: 0.5, cpu_ratio: 3, ours: 500, floor: 1_000, unit: 'events/s', machine });
    const figure = JSON.parse(jsonLineOf({ bench: 'freshness', readings: [figureReading([3, 1, 2], words)] }, machine)) as unknown;
    expect(figure).toMatchObject({ bench: 'freshness', ratio: null, min: 1, max: 3, cpu_ratio: null, ours: 2, floor: null });
  });

  it.each([
    [0, '0'],
    [1_234_567.8, '1 234 568'],
    [123.4, '123'],
    [12.34, '12.3'],
    [0.123456, '0.123'],
    [0.0042, '0.00420'],
  ])('writes %s as %s', (value, text) => {
    expect(short(value)).toBe(text);
  });
});

describe('arguments', () => {
  const known = ['rating', 'ingest', 'start'];

  it('runs all benches in their order, or those that are named', () => {
    expect(parseArguments([], known)).toEqual({ ok: true, value: { names: known, isShort: false, isJson: false, withinSeconds: null } });
    expect(parseArguments(['start', '--json', 'rating', '--short', '--within=420'], known)).toEqual({ ok: true, value: { names: ['rating', 'start'], isShort: true, isJson: true, withinSeconds: 420 } });
  });

  it('refuses what it does not know', () => {
    expect(parseArguments(['rates'], known)).toEqual({ ok: false, detail: 'There is no bench rates; there are rating, ingest, start.' });
    expect(parseArguments(['--fast'], known)).toEqual({ ok: false, detail: 'There is no option --fast; there are --short, --json and --within=<seconds>.' });
    expect(parseArguments(['--within=soon'], known)).toMatchObject({ ok: false });
  });
});
