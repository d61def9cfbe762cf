import type { EventSourceBody, EventSourceFormat, FeatureBody, MeterBody, MeterVersionBody, ProductBody } from '#contracts';
import type { MeterDefinition } from '#domain';
import type { EventSource, Feature, MeterResource, Product } from '#persistence';
import type { CatalogItem } from '../catalog-items.js';
import type { DatedMeterVersion } from '../read-meter-versions.js';
import { instantText } from './wire-text.js';

function common(item: CatalogItem) {
  return { id: item.id, key: item.key, name: item.name, archived_at: instantText(item.archivedAt), created_at: instantText(item.createdAt), metadata: item.metadata };
}

export function toProductBody(product: Product): ProductBody {
  return { ...common(product), object: 'product', docs_url: product.docsUrl, version: product.version };
}

export function toFeatureBody(feature: Feature, meterKeys: ReadonlyMap<string, string>): FeatureBody {
  return { ...common(feature), object: 'feature', meter: feature.meterId, meter_key: feature.meterId === null ? null : (meterKeys.get(feature.meterId) ?? null) };
}

export function toMeterBody(meter: MeterResource): MeterBody {
  return {
    ...common(meter),
    object: 'meter',
    ...definitionBody(meter),
    unit: meter.unit,
    version: meter.latestVersion,
    effective_at: instantText(meter.effectiveAt),
  };
}

export function toMeterVersionBody({ version, until }: DatedMeterVersion): MeterVersionBody {
  return {
    object: 'meter_version',
    meter: version.meterId,
    version: version.version,
    ...definitionBody(version),
    effective_at: instantText(version.effectiveAt),
    effective_until: instantText(until),
    created_at: instantText(version.createdAt),
  };
}

/** How a meter counts, as it reads. */
export function definitionBody(of: MeterDefinition) {
  return { event_type: of.eventType, aggregation: of.aggregation, value: of.valuePath, percentile: of.percentile, group_by: { ...of.groupBy }, filter: of.filter };
}

export function toEventSourceBody(eventSource: EventSource): EventSourceBody {
  const { id, subject, type, time, timeUnit, data, defaults } = eventSource.mapping;
  const listed = (paths: readonly string[] | null): string[] | null => (paths === null ? null : [...paths]);
  return {
    ...common(eventSource),
    object: 'event_source',
    format: eventSource.format as EventSourceFormat,
    source: eventSource.source ?? eventSource.key,
    mapping: { id: listed(id), subject: listed(subject), type: listed(type), time: listed(time), time_unit: timeUnit, data: data === null ? null : { ...data } },
    defaults: { ...defaults },
  };
}
