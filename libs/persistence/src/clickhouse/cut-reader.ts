import { correctEvents, type Correction, type Meter } from '#domain';
import { assert } from '#platform';
import { findOrganization } from '../postgres/billing-api/organization-table.js';
import type { Database } from '../postgres/database.js';
import { rowsLiteral, type ClickHouse } from './clickhouse.js';
import { CountedEvents, type EventIdentity } from './counted-events.js';
import { isBeforeCut, isCorrectedAfter, type EarlierAmendment, type EventsAtCut } from './events-at-cut.js';
import { Placeholders, rfc3339Of } from './sql-builder.js';
import type { LogCut } from './usage-basis.js';
import { eventConditions, inScopeSpans, scanRelations, type EventScope } from './usage-scan.js';

/** Events of one answer that were amended both before and after its cut. */
const amendmentsMax = 100_000;

/** Which events of one meter. */
type MeterScope = EventScope & { readonly meter: Meter };

/** Finds out what a cut makes of the events of a scope. */
export class CutReader {
  constructor(private readonly use: { readonly clickhouse: ClickHouse; readonly database: Database }) {}

  /** Looks for events that were amended both before and after the cut: what they were then is not in their rows. */
  async at(scope: MeterScope, cut: LogCut): Promise<EventsAtCut> {
    const identities = await this.amendedTwice(scope, cut);
    return { cut, amendments: identities.length === 0 ? [] : await this.earlierAmendments(scope.meter.organizationId, { identities, cut }) };
  }

  /** The refs of spans in which something came to light after the cut: an event, or the correction of one. */
  async changedAfter(scope: MeterScope, cut: LogCut): Promise<number[]> {
    const placeholders = new Placeholders();
    const changed = `
      SELECT subject, toUnixTimestamp64Micro(time) AS at FROM events
      WHERE ${eventConditions(scope, placeholders)} AND (NOT ${isBeforeCut(cut, 'position')} OR ${isCorrectedAfter(cut)})`;
    const rows = await this.use.clickhouse.query<{ ref: number }>({
      sql: `${scanRelations(scope)} SELECT DISTINCT span_ref AS ref FROM (${changed}) AS changed INNER JOIN spans ON changed.subject = spans.span_subject WHERE ${inScopeSpans} ORDER BY ref`,
      parameters: placeholders.parameters,
    });
    return rows.map(({ ref }) => ref);
  }

  private async amendedTwice(scope: MeterScope, cut: LogCut): Promise<EventIdentity[]> {
    if (!(await this.anyAmendments(scope.meter.organizationId))) return [];
    const placeholders = new Placeholders();
    const organization = placeholders.text(scope.meter.organizationId);
    const corrected = `SELECT source, id FROM events WHERE ${eventConditions(scope, placeholders)} AND ${isBeforeCut(cut, 'position')} AND ${isCorrectedAfter(cut)}`;
    const rows = await this.use.clickhouse.query<EventIdentity>({
      sql: `${scanRelations(scope)}
        SELECT DISTINCT source, id FROM event_corrections
        WHERE organization_id = ${organization} AND kind = 'amendment' AND ${isBeforeCut(cut, 'position')} AND (source, id) IN (${corrected}) LIMIT ${amendmentsMax + 1}`,
      parameters: placeholders.parameters,
    });
    assert(rows.length <= amendmentsMax, `At most ${amendmentsMax} events of one answer may have been amended both before and after its cut.`);
    return rows;
  }

  /** Few organizations ever amend events, and what follows costs as much as reading the events. */
  private async anyAmendments(organizationId: string): Promise<boolean> {
    const placeholders = new Placeholders();
    const sql = `SELECT 1 AS found FROM event_corrections WHERE organization_id = ${placeholders.text(organizationId)} AND kind = 'amendment' LIMIT 1`;
    return (await this.use.clickhouse.query({ sql, parameters: placeholders.parameters })).length > 0;
  }

  /** By the rule that the aggregator follows, as far as the log had come. */
  private async earlierAmendments(organizationId: string, of: { identities: readonly EventIdentity[]; cut: LogCut }): Promise<EarlierAmendment[]> {
    const organization = await this.use.database.inOrganization(organizationId, (manager) => findOrganization(manager, organizationId));
    assert(organization !== null, 'Events belong to an organization.');
    const events = Map.groupBy(await new CountedEvents(this.use.clickhouse).byIdentity(organizationId, of.identities), identityOf);
    const corrections = Map.groupBy(await this.correctionsBefore(organizationId, of), identityOf);
    return [...events].flatMap(([identity, own]) =>
      correctEvents(own, corrections.get(identity) ?? [], organization.dedupeWindowSeconds).flatMap(({ event, amendment }) =>
        amendment === null ? [] : [{ partition: event.partition, position: event.position, amendmentPosition: amendment.position }]));
  }

  private async correctionsBefore(organizationId: string, of: { identities: readonly EventIdentity[]; cut: LogCut }): Promise<(Correction & EventIdentity)[]> {
    const placeholders = new Placeholders();
    const identities = rowsLiteral('source String, id String', of.identities.map(({ source, id }) => JSON.stringify([source, id])));
    const rows = await this.use.clickhouse.query<{ kind: Correction['kind']; source: string; id: string; place: string; received_at: string; sealed: string }>({
      sql: `SELECT toString(kind) AS kind, source, id, toString(position) AS place, received_at, ifNull(toString(sealed_before), '') AS sealed FROM event_corrections FINAL
            WHERE organization_id = ${placeholders.text(organizationId)} AND (source, id) IN (SELECT * FROM ${identities}) AND ${isBeforeCut(of.cut, 'position')}`,
      parameters: placeholders.parameters,
    });
    return rows.map(({ kind, source, id, place, received_at: receivedAt, sealed }) => ({
      kind, source, id, position: BigInt(place), receivedAt: rfc3339Of(receivedAt), sealedBefore: sealed === '' ? null : rfc3339Of(sealed),
    }));
  }
}

function identityOf({ source, id }: EventIdentity): string {
  return JSON.stringify([source, id]);
}
