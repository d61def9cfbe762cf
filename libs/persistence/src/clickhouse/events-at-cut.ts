import { rowsLiteral } from './clickhouse.js';
import { correctionPositionSql, isCorrectionSql } from './event-store.js';
import type { LogCut } from './usage-basis.js';

/** An event that was corrected after the cut, and the amendment that stood before. */
export interface EarlierAmendment {
  readonly partition: number;
  /** Of the event. */
  readonly position: bigint;
  /** Of the amendment. */
  readonly amendmentPosition: bigint;
}

/** How events are read as a cut of the log left them. */
export interface EventsAtCut {
  readonly cut: LogCut;
  readonly amendments: readonly EarlierAmendment[];
}

const eventKey = 'event_type, bucket, subject, time, source, id, payload_hash';

/** True for rows, events and corrections alike, that the log has before the cut. */
export function isBeforeCut(cut: LogCut, position: string): string {
  if (cut.size === 0) return '0';
  const [partitions, positions] = [[...cut.keys()], [...cut.values()]];
  return `${position} < transform(partition, [${partitions.join(', ')}]::Array(UInt16), [${positions.map((next) => `toUInt64('${next}')`).join(', ')}], toUInt64(0))`;
}

/** True for rows of events whose decisive correction stands at or after the cut. */
export function isCorrectedAfter(cut: LogCut): string {
  return `(${isCorrectionSql} AND NOT ${isBeforeCut(cut, correctionPositionSql)})`;
}

/**
 * The events as the cut left them, as a relation. What was not corrected since is as it is now. An event that was has what it
 * came with, or the amendment that stood before; a voided row is not dropped, so it is there as well.
 */
export function eventsAtCutSql(at: EventsAtCut, read: { readonly columns: readonly string[]; readonly conditions: string; readonly organization: string }): string {
  const columns = read.columns.filter((column) => column !== 'data').join(', ');
  const earlier = read.columns.includes('data') ? `, if(empty(amended.data), original, amended.data) AS data` : '';
  const conditions = `${read.conditions} AND ${isBeforeCut(at.cut, 'position')}`;
  const corrected = `
    SELECT ${columns}, if(original_data = '', data, original_data) AS original FROM events WHERE ${conditions} AND ${isCorrectedAfter(at.cut)}
    ORDER BY version DESC LIMIT 1 BY ${eventKey}`;
  return `(
    SELECT ${columns}${earlier === '' ? '' : ', data'} FROM events FINAL WHERE ${conditions} AND NOT ${isCorrectedAfter(at.cut)}
    UNION ALL
    SELECT ${columns}${earlier} FROM (${corrected}) AS corrected LEFT JOIN (${amendedSql(at, read.organization)}) AS amended
      ON corrected.partition = amended.event_partition AND corrected.position = amended.event_position)`;
}

function amendedSql({ amendments }: EventsAtCut, organization: string): string {
  if (amendments.length === 0) return `SELECT toUInt16(0) AS event_partition, toUInt64(0) AS event_position, '' AS data WHERE 0`;
  const rows = amendments.map(({ partition, position, amendmentPosition }) => `[${partition},"${position}","${amendmentPosition}"]`);
  return `
    SELECT event_partition, event_position, correction.data AS data
    FROM ${rowsLiteral('event_partition UInt16, event_position UInt64, amendment_position UInt64', rows)} AS given
    INNER JOIN (SELECT partition, position, data FROM event_corrections FINAL WHERE organization_id = ${organization}) AS correction
      ON given.event_partition = correction.partition AND given.amendment_position = correction.position`;
}
