import { eventSourceFormats, type EventSourceFormat } from '#contracts';
import type { FindEventSource } from '#persistence';
import { Problem } from '#platform';
import type { SourceReading } from '../formats/ingest-formats.js';

export interface SourceChoice {
  readonly organizationId: string;
  readonly sourceKey: string;
  /** The format of the route; null where the source may have any. */
  readonly format: string | null;
}

/** The event source that a request names. What is wrong with the choice refuses the request as a whole, so that it is noticed when a gateway is set up. */
export async function chosenSource(find: FindEventSource, { organizationId, sourceKey, format }: SourceChoice): Promise<SourceReading> {
  const found = await find({ organizationId, reference: sourceKey });
  if (found === null) throw unusable({ code: 'unknown_event_source', detail: 'There is no such event source.' });
  if (found.archivedAt !== null) throw unusable({ code: 'archived_event_source', detail: 'This event source is archived.' });
  if (format !== null && found.format !== format) throw unusable({ code: 'format_mismatch', detail: `This event source reads ${found.format}, not ${format}.` });
  const known = eventSourceFormats.find((name): name is EventSourceFormat => name === found.format);
  if (known === undefined) throw unusable({ code: 'unknown_format', detail: 'This event source has a format of a later version.' });
  return { format: known, source: found.source ?? found.key, mapping: found.mapping };
}

function unusable(fault: { readonly code: string; readonly detail: string }): Problem {
  return new Problem({ status: 422, code: 'invalid_request', detail: 'The event source can not be used.', errors: [{ pointer: '/source_key', ...fault }] });
}
