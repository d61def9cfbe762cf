import { parseDataPath } from '../metering/data-path.js';
import type { CatalogFault } from './catalog-fault.js';
import { decimalFaults, soundDecimal } from './decimal-faults.js';
import type { Curve, Dynamic, Matrix, Model, Percentage } from './model.js';
import { tiersFaults } from './tier-faults.js';

/** Everything wrong with a model whose shape is right. */
export function modelFaults(model: Model, pointer: string): CatalogFault[] {
  switch (model.type) {
    case 'percentage':
      return percentageFaults(model, pointer);
    case 'matrix':
      return matrixFaults(model, pointer);
    case 'dynamic':
      return dynamicFaults(model, pointer);
    case 'flat':
    case 'per_unit':
    case 'package':
    case 'graduated':
    case 'volume':
    case 'stairstep':
    case 'graduated_percentage':
      return curveFaults(model, pointer);
  }
}

function curveFaults(model: Curve, pointer: string): CatalogFault[] {
  switch (model.type) {
    case 'flat':
      return decimalFaults({ text: model.amount, pointer: `${pointer}/amount`, kind: 'amount' });
    case 'per_unit':
      return decimalFaults({ text: model.unit_amount, pointer: `${pointer}/unit_amount`, kind: 'amount' });
    case 'package':
      return [
        ...decimalFaults({ text: model.package_size, pointer: `${pointer}/package_size`, kind: 'quantity', aboveZero: true }),
        ...decimalFaults({ text: model.package_amount, pointer: `${pointer}/package_amount`, kind: 'amount' }),
      ];
    case 'graduated':
    case 'volume':
    case 'stairstep':
    case 'graduated_percentage':
      return tiersFaults(model.tiers, `${pointer}/tiers`);
  }
}

const percentageAmounts = ['rate', 'fixed_amount', 'free_amount', 'minimum_per_event', 'maximum_per_event'] as const;

function percentageFaults(model: Percentage, pointer: string): CatalogFault[] {
  const faults = percentageAmounts.flatMap((name) =>
    decimalFaults({ text: model[name], pointer: `${pointer}/${name}`, kind: name === 'free_amount' ? 'quantity' : 'amount' }),
  );
  const minimum = soundDecimal({ text: model.minimum_per_event, kind: 'amount' });
  const maximum = soundDecimal({ text: model.maximum_per_event, kind: 'amount' });
  // A maximum of 0 is none.
  if (minimum !== null && maximum?.gt(0) === true && minimum.gt(maximum)) {
    const detail = 'The minimum of an event is what it costs at least and the maximum what it costs at most; lower the one or raise the other.';
    faults.push({ pointer: `${pointer}/minimum_per_event`, code: 'minimum_above_maximum', detail });
  }
  return faults;
}

function matrixFaults(model: Matrix, pointer: string): CatalogFault[] {
  const seen = new Set<string>();
  const ofCells = model.cells.flatMap((cell, index): CatalogFault[] => {
    const at = `${pointer}/cells/${index}`;
    const name = JSON.stringify(Object.entries(cell.when).toSorted(([a], [b]) => (a < b ? -1 : 1)));
    const isRepeated = seen.has(name);
    seen.add(name);
    return [
      ...Object.keys(cell.when)
        .filter((dimension) => !model.dimensions.includes(dimension))
        .map((dimension) => ({
          pointer: `${at}/when/${dimension.replaceAll('~', '~0').replaceAll('/', '~1')}`,
          code: 'unknown_dimension' as const,
          detail: `The matrix has the dimensions ${model.dimensions.join(', ')}; use one of them, or add this one to dimensions.`,
        })),
      ...(isRepeated ? [{ pointer: `${at}/when`, code: 'duplicate_cell' as const, detail: 'Another cell is for the same values, and only one of them could ever be used; remove one or change its values.' }] : []),
      ...curveFaults(cell.model, `${at}/model`),
    ];
  });
  return [...duplicateDimensions(model.dimensions, `${pointer}/dimensions`), ...ofCells, ...(model.default === null || model.default === undefined ? [] : curveFaults(model.default, `${pointer}/default`))];
}

function duplicateDimensions(dimensions: readonly string[], pointer: string): CatalogFault[] {
  return dimensions.flatMap((dimension, index) =>
    dimensions.indexOf(dimension) === index ? [] : [{ pointer: `${pointer}/${index}`, code: 'duplicate_dimension' as const, detail: 'Each dimension may be named once; remove this one.' }],
  );
}

function dynamicFaults(model: Dynamic, pointer: string): CatalogFault[] {
  const path = parseDataPath(model.amount);
  return [
    ...(path.ok ? [] : [{ pointer: `${pointer}/amount`, code: 'invalid_path' as const, detail: path.detail }]),
    ...decimalFaults({ text: model.multiplier, pointer: `${pointer}/multiplier`, kind: 'amount' }),
  ];
}
