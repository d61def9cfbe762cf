import { assert } from '../assert.js';
import { compareBytewise } from '../rating/compare-bytewise.js';
import { parseDataPath, type DataPath } from './data-path.js';
import type { Expression } from './expression.js';
import { parseFilter, parseValueExpression } from './parse-expression.js';

export const aggregations = ['count', 'sum', 'min', 'max', 'avg', 'unique_count', 'latest', 'percentile', 'time_weighted_sum'] as const;
export type Aggregation = (typeof aggregations)[number];

/** Whether the quantity of no events is 0; the others have none. */
export function isZeroOfNothing(aggregation: Aggregation): boolean {
  return aggregation === 'count' || aggregation === 'sum' || aggregation === 'unique_count' || aggregation === 'time_weighted_sum';
}

/** What decides a meter's quantity. Aggregation and percentile are the same in all versions of a meter. */
export interface MeterDefinition {
  readonly eventType: string;
  readonly aggregation: Aggregation;
  /** Path into data, such as `$.bytes`, or CEL over data, such as `data.bytes / 1000.0`; null for count, which takes no value. */
  readonly valuePath: string | null;
  /** Which one, from 0 to 100 in shortest form; null but for percentile. */
  readonly percentile: string | null;
  /** Dimension to path into data. */
  readonly groupBy: Readonly<Record<string, string>>;
  /** CEL; null lets every event of the type through. */
  readonly filter: string | null;
}

/** How a meter counts events whose time is at or after an instant. */
export interface MeterVersion {
  /** From 1. */
  readonly number: number;
  /** Null for version 1, which counts from the beginning. */
  readonly effectiveAt: Temporal.Instant | null;
  readonly definition: MeterDefinition;
}

/** How events become a quantity. Its own definition is that of the latest version. */
export interface Meter extends MeterDefinition {
  readonly id: string;
  readonly organizationId: string;
  readonly key: string;
  /** In the order of their numbers; left out where there is only one. */
  readonly versions?: readonly MeterVersion[];
}

export interface Dimension {
  readonly name: string;
  readonly path: DataPath;
}

/** A meter with its paths and its expressions read. Dimensions stand in the bytewise order of their names. */
export interface CountingRule {
  readonly aggregation: Aggregation;
  readonly value: Expression | null;
  readonly dimensions: readonly Dimension[];
  readonly filter: Expression | null;
}

/** The rule of a meter that `meterFaults` found nothing wrong with. */
export function countingRule(meter: Pick<Meter, 'aggregation' | 'valuePath' | 'groupBy' | 'filter'>): CountingRule {
  const dimensions = Object.entries(meter.groupBy)
    .map(([name, path]) => ({ name, path: pathOf(path) }))
    .sort((a, b) => compareBytewise(a.name, b.name));
  return {
    aggregation: meter.aggregation,
    value: meter.valuePath === null ? null : valueOf(meter.valuePath),
    dimensions,
    filter: meter.filter === null ? null : filterOf(meter.filter),
  };
}

/** Equal for meters that count alike: rollups made by another definition are not those of this one. */
export function meterDefinition(meter: MeterDefinition): string {
  const groupBy = Object.entries(meter.groupBy).sort(([a], [b]) => compareBytewise(a, b));
  const parameters = meter.percentile === null ? [] : [meter.percentile];
  return JSON.stringify([meter.eventType, meter.aggregation, meter.valuePath, groupBy, meter.filter, ...parameters]);
}

function pathOf(text: string): DataPath {
  const path = parseDataPath(text);
  assert(path.ok, 'A stored meter has paths that were checked when it was made.');
  return path.path;
}

/** A path begins with $, and no expression does. */
export function isPathText(text: string): boolean {
  return text.startsWith('$');
}

function valueOf(text: string): Expression {
  if (isPathText(text)) return { kind: 'path', path: pathOf(text) };
  const value = parseValueExpression(text);
  assert(value.ok, 'A stored meter has a value that was checked when it was made.');
  return value.expression;
}

function filterOf(text: string): Expression {
  const filter = parseFilter(text);
  assert(filter.ok, 'A stored meter has a filter that was checked when it was made.');
  return filter.expression;
}
