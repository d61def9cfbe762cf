import type { Curve, Matrix } from '../catalog/model.js';

/** Where a group's usage is pooled and what prices it; null asks nothing. */
export interface MatchedCell {
  /** Stable: the cell's place in the price. */
  readonly ref: string;
  /** For the trace: "cell 1". */
  readonly name: string;
  /** The order of cells; the default is last. */
  readonly rank: number;
  readonly model: Curve | null;
}

/** The cell of a group: of those whose values all match, the one with the most, the earlier of equals; else the default. A missing value is "". */
export function matchCell(matrix: Matrix, group: Readonly<Record<string, string>>): MatchedCell {
  let best = -1;
  let keys = -1;
  for (const [index, { when }] of matrix.cells.entries()) {
    const conditions = Object.entries(when);
    if (conditions.length <= keys) continue;
    if (!conditions.every(([dimension, value]) => valueOf(group, dimension) === value)) continue;
    best = index;
    keys = conditions.length;
  }
  const cell = matrix.cells[best];
  if (cell === undefined) return { ref: 'default', name: 'default', rank: matrix.cells.length, model: matrix.default ?? null };
  return { ref: `cell-${best + 1}`, name: `cell ${best + 1}`, rank: best, model: cell.model };
}

export function valueOf(group: Readonly<Record<string, string>>, dimension: string): string {
  return Object.hasOwn(group, dimension) ? (group[dimension] ?? '') : '';
}
