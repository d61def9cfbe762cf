import { afterAll, beforeAll, expect, it } from 'vitest';
import { bumpMarks, readDirtyCells, type Cell } from '#persistence';
import { useClickHouse, usePostgres } from '#testing';
import { AggregatorFixture } from './aggregator-fixture.js';
import { MarkCells } from './mark-cells.js';

// Goal: cells that batches mark at the same time are all marked once it resolves, with a generation above any before. Method: real marks.

usePostgres();
useClickHouse();
let fixture: AggregatorFixture;

beforeAll(async () => {
  fixture = await AggregatorFixture.start();
  await fixture.addOrganizations(['org_m']);
});
afterAll(() => fixture.close());

const hour = 1_793_523_600; // 2026-11-01T09:00:00Z

function cell(bucket: number): Cell {
  return { organizationId: 'org_m', eventType: 'a call', hour, bucket };
}

async function generations(): Promise<Map<number, bigint>> {
  const { rows } = await fixture.parts.admin.query<{ bucket: number; generation: string }>(`select bucket, generation from dirty_marks where organization_id = 'org_m'`);
  return new Map(rows.map(({ bucket, generation }) => [bucket, BigInt(generation)]));
}

it('marks the cells of all, one of several batches too', async () => {
  const marks = new MarkCells(fixture.parts.database);
  await fixture.parts.database.acrossOrganizations((manager) => bumpMarks(manager, [cell(1)]));
  const before = (await generations()).get(1) ?? 0n;
  await Promise.all([marks.execute([cell(1), cell(2)]), marks.execute([cell(2), cell(3)]), marks.execute([]), marks.execute([cell(1)])]);
  const after = await generations();
  expect([...after.keys()].toSorted()).toEqual([1, 2, 3]);
  expect([...after.values()].every((generation) => generation > before)).toBe(true);
  const range = { organizationId: 'org_m', eventType: 'a call', from: Temporal.Instant.fromEpochMilliseconds(hour * 1_000), to: Temporal.Instant.fromEpochMilliseconds((hour + 3_600) * 1_000), buckets: null, limit: 10 };
  const dirty = await fixture.parts.database.inOrganization('org_m', (manager) => readDirtyCells(manager, range));
  expect(dirty.map(({ bucket }) => bucket).toSorted()).toEqual([1, 2, 3]);
});
