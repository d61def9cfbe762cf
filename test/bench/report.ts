import { machineSentence, type Machine } from './machine.ts';
import type { Reading } from './reading.ts';
import type { Spread } from './statistics.ts';

export interface BenchReport {
  readonly bench: string;
  readonly readings: readonly Reading[];
}

const columns = ['bench', 'unit', 'ours', 'floor', 'ratio (min to max)', 'CPU µs a unit, ours / floor', 'CPU ratio', 'goal'] as const;

/** One table of all readings, with the machine above it. */
export function tableOf(reports: readonly BenchReport[], machine: Machine): string {
  const rows = reports.flatMap(({ readings }) => readings.map(rowOf));
  const widths = columns.map((name, index) => Math.max(name.length, ...rows.map((row) => (row[index] ?? '').length)));
  const line = (cells: readonly string[]): string => `| ${cells.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join(' | ')} |`;
  const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`;
  return [machineSentence(machine), '', line(columns), rule, ...rows.map(line)].join('\n');
}

/** One line: the reading that the bench is named for, and all of them in `readings`. */
export function jsonLineOf({ bench, readings }: BenchReport, machine: Machine): string {
  const first = readings[0];
  if (first === undefined) throw new RangeError(`The bench ${bench} gave no reading.`);
  return JSON.stringify({ bench, ...jsonReading(first), machine, readings: readings.map((reading) => ({ name: reading.name, ...jsonReading(reading) })) });
}

function jsonReading({ unit, ours, floor, ratio, cpu }: Reading): Record<string, unknown> {
  const spread = ratio ?? ours;
  return {
    ratio: ratio === null ? null : rounded(ratio.median),
    min: rounded(spread.min),
    max: rounded(spread.max),
    cpu_ratio: cpu === null ? null : rounded(cpu.ratio),
    ours: rounded(ours.median),
    floor: floor === null ? null : rounded(floor.median),
    unit,
  };
}

function rowOf(reading: Reading): readonly string[] {
  const { name, unit, ours, floor, ratio, cpu, goal } = reading;
  const ratioText = ratio === null ? '' : `${short(ratio.median)} (${short(ratio.min)} to ${short(ratio.max)})`;
  const cpuText = cpu === null ? '' : `${short(cpu.oursMicrosPerUnit)} / ${short(cpu.floorMicrosPerUnit)}`;
  return [name, unit, spreadText(ours), floor === null ? '' : spreadText(floor), ratioText, cpuText, cpu === null ? '' : short(cpu.ratio), goal];
}

function spreadText({ median, min, max }: Spread): string {
  return min === max ? short(median) : `${short(median)} (${short(min)} to ${short(max)})`;
}

/** Three significant digits, and whole numbers in full. */
export function short(value: number): string {
  if (value === 0) return '0';
  const digits = Math.abs(value) >= 100 ? 0 : 2 - Math.floor(Math.log10(Math.abs(value)));
  return value.toFixed(Math.min(Math.max(digits, 0), 6)).replace(/\B(?=(\d{3})+(?!\d)(?<!\.\d*))/g, ' ');
}

function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
