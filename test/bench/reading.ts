import type { Pair, Sample } from './rounds.ts';
import { medianOf, spreadOf, type Spread } from './statistics.ts';

/** One line of the table: a figure of ours, and where there is one, what it is held against. */
export interface Reading {
  readonly name: string;
  readonly unit: string;
  readonly ours: Spread;
  readonly floor: Spread | null;
  /** Ours over floor, both taken in the same round. */
  readonly ratio: Spread | null;
  readonly cpu: CpuReading | null;
  /** What BENCH asks for, in words. Shown, never asserted. */
  readonly goal: string;
}

/** Medians. */
export interface CpuReading {
  readonly oursMicrosPerUnit: number;
  readonly floorMicrosPerUnit: number;
  /** Ours over floor, of the same round: 2 means twice the CPU for the same work. */
  readonly ratio: number;
}

/** Units in a second of both sides, and how they compare. Above 1, ours is the faster one. */
export function comparisonReading(pairs: readonly Pair[], words: { name: string; unit: string; goal: string }): Reading {
  const perSecond = (sample: Sample): number => sample.units / sample.seconds;
  const microsPerUnit = (sample: Sample): number => (sample.cpuSeconds * 1_000_000) / sample.units;
  const hasCpu = pairs.every(({ ours, floor }) => ours.cpuSeconds > 0 && floor.cpuSeconds > 0);
  return {
    ...words,
    ours: spreadOf(pairs.map(({ ours }) => perSecond(ours))),
    floor: spreadOf(pairs.map(({ floor }) => perSecond(floor))),
    ratio: spreadOf(pairs.map(({ ours, floor }) => perSecond(ours) / perSecond(floor))),
    cpu: hasCpu
      ? {
          oursMicrosPerUnit: medianOf(pairs.map(({ ours }) => microsPerUnit(ours))),
          floorMicrosPerUnit: medianOf(pairs.map(({ floor }) => microsPerUnit(floor))),
          ratio: medianOf(pairs.map(({ ours, floor }) => microsPerUnit(ours) / microsPerUnit(floor))),
        }
      : null,
  };
}

/** A figure that stands for itself. */
export function figureReading(values: readonly number[], words: { name: string; unit: string; goal: string }): Reading {
  return { ...words, ours: spreadOf(values), floor: null, ratio: null, cpu: null };
}
