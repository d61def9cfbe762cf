import { eventMappingOf, type EventSourceReplace } from '#contracts';
import { mappingFaults } from '#domain';
import { eventSourceTable, type EventSource } from '#persistence';
import { accepted, refused } from '#platform';
import type { CatalogKind } from './catalog-items.js';
import { naming } from './catalog-kinds.js';

export const eventSourceKind: CatalogKind<EventSource, EventSourceReplace> = {
  table: eventSourceTable,
  prefix: 'src',
  noun: 'event source',
  resolve: async (_manager, input) => {
    const mapping = eventMappingOf(input);
    const faults = mappingFaults(mapping, input.format !== 'json');
    if (faults.length > 0) return refused('invalid_request', 'This mapping makes no events.', faults);
    return accepted({ name: input.name, format: input.format, source: input.source ?? null, mapping, metadata: input.metadata ?? {} });
  },
  resolveChange: async (_manager, change) => accepted(naming(change)),
};
