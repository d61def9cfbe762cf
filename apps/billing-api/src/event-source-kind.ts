import type { EventSourceReplace } from '#contracts';
import { mappingFaults, type EventMapping } from '#domain';
import { eventSourceTable, type EventSource } from '#persistence';
import { accepted, refused } from '#platform';
import type { CatalogKind } from './catalog-items.js';
import { naming } from './catalog-kinds.js';

export const eventSourceKind: CatalogKind<EventSource, EventSourceReplace> = {
  table: eventSourceTable,
  prefix: 'src',
  noun: 'event source',
  resolve: async (_manager, input) => {
    const mapping = mappingOf(input);
    const faults = mappingFaults(mapping, input.format !== 'json');
    if (faults.length > 0) return refused('invalid_request', 'This mapping makes no events.', faults);
    return accepted({ name: input.name, format: input.format, source: input.source ?? null, mapping, metadata: input.metadata ?? {} });
  },
  resolveChange: async (_manager, change) => accepted(naming(change)),
};

function mappingOf({ mapping = {}, defaults = {} }: EventSourceReplace): EventMapping {
  return {
    id: pathsOf(mapping.id), subject: pathsOf(mapping.subject), type: pathsOf(mapping.type), time: pathsOf(mapping.time),
    timeUnit: mapping.time_unit ?? 'rfc3339',
    data: mapping.data ?? null,
    defaults,
  };
}

function pathsOf(paths: string | readonly string[] | null | undefined): readonly string[] | null {
  return typeof paths === 'string' ? [paths] : (paths ?? null);
}
