import type { EntityManager } from 'typeorm';
import type { MeterReplace } from '#contracts';
import { countsSo, meterDefinition, meterFaults, wholeMicrosecond, type MeterDefinition } from '#domain';
import { findByIdOrKey, findMeters, findOrganization, insertMeterVersion, meterTable, type MeterResource } from '#persistence';
import { accepted, assert, refused, type InputFault, type Outcome } from '#platform';
import type { ItemChange, RevisionRefusal } from './catalog-items.js';
import { findLostDimension, noteMeterChanged, readBilledUntil } from './metered-subscriptions.js';

/** Each version is a part of every question about the meter. */
const versionsMax = 100;

type MeterChange = ItemChange<MeterResource, MeterReplace>;

/**
 * Makes the next version where a change is one of how the meter counts, and says what its columns are then; nothing where events
 * are counted so already. What counts from an instant on is never changed for a time that has been billed.
 */
export async function reviseMeter(manager: EntityManager, change: MeterChange): Promise<Outcome<Partial<MeterResource>, RevisionRefusal>> {
  const before = await hold(manager, change.existing.id);
  const definition = definitionOf({ ...before, ...change.content });
  const from = change.input.effective_at === undefined ? change.now : wholeMicrosecond(Temporal.Instant.from(change.input.effective_at));
  const faults = [...meterFaults(definition), ...(await timeFaults(manager, { organizationId: before.organizationId, from, now: change.now }))];
  if (faults.length > 0) return refused('invalid_request', 'This meter can not count so.', faults);
  if (definition.aggregation !== before.aggregation || definition.percentile !== before.percentile) {
    return refused('definition_fixed', 'Aggregation and percentile say what the meter’s quantity is, and are the same in all its versions. Make another meter, and a version of each plan that is priced by it.');
  }
  if (await isCountedSo(manager, { before, definition, from, isDated: change.input.effective_at !== undefined })) return accepted(definitionOf(before));
  const refusal = await refusalOf(manager, { before, definition, from });
  if (refusal !== null) return refusal;
  const version = { meterId: before.id, version: before.latestVersion + 1, organizationId: before.organizationId, effectiveAt: from, ...definition, createdAt: change.clock.now() };
  await insertMeterVersion(manager, { before, version });
  await noteMeterChanged(manager, { meterKey: before.key, from, now: change.now });
  return accepted({ ...definition, latestVersion: version.version, effectiveAt: from });
}

/** Versions are numbered one by one. */
async function hold(manager: EntityManager, id: string): Promise<MeterResource> {
  await manager.query('select 1 from meters where id = $1 for update', [id]);
  const meter = await findByIdOrKey(manager, meterTable, id);
  assert(meter !== null, 'Meters are never deleted.');
  return meter;
}

function definitionOf({ eventType, aggregation, valuePath, percentile, groupBy, filter }: MeterDefinition): MeterDefinition {
  return { eventType, aggregation, valuePath, percentile, groupBy, filter };
}

/** Without an instant, a change is one of what the meter says; with one, of what it counts from then on. */
async function isCountedSo(manager: EntityManager, of: { before: MeterResource; definition: MeterDefinition; from: Temporal.Instant; isDated: boolean }): Promise<boolean> {
  if (!of.isDated) return meterDefinition(of.before) === meterDefinition(of.definition);
  const [meter] = await findMeters(manager, { ids: [of.before.id] });
  assert(meter !== undefined, 'Meters are never deleted.');
  return countsSo(meter, of);
}

async function timeFaults(manager: EntityManager, { organizationId, from, now }: { organizationId: string; from: Temporal.Instant; now: Temporal.Instant }): Promise<InputFault[]> {
  const organization = await findOrganization(manager, organizationId);
  if (organization === null || organization.rawRetentionSeconds === null) return [];
  const oldest = now.subtract({ seconds: organization.rawRetentionSeconds });
  if (Temporal.Instant.compare(from, oldest) >= 0) return [];
  return [{ pointer: '/effective_at', code: 'too_old', detail: `Events are kept for counting again since ${oldest.toString()} (raw_retention). Give an instant from then on.` }];
}

async function refusalOf(manager: EntityManager, of: { before: MeterResource; definition: MeterDefinition; from: Temporal.Instant }): Promise<Outcome<never, RevisionRefusal> | null> {
  const { before, definition, from } = of;
  if (before.latestVersion >= versionsMax) return refused('too_many_versions', `A meter has at most ${versionsMax} versions. Make another meter.`);
  const billedUntil = await readBilledUntil(manager, { meterKey: before.key, after: from });
  if (billedUntil !== null) {
    return refused('billed_period', `Periods that are priced by this meter are billed until ${billedUntil.toString()}, and what was billed stays as it is. Give an effective_at from then on.`);
  }
  const lost = await findLostDimension(manager, { meter: before, groupBy: definition.groupBy });
  if (lost === null) return null;
  return refused('dimension_in_use', `The price "${lost.priceKey}" of a plan or subscription in use looks at the dimension "${lost.dimension}". Keep it in group_by, or let no plan and no subscription use the price first.`);
}
