import type { EventSourceReplace, FeatureReplace, MeterReplace, ProductReplace } from '#contracts';
import { readMeters, type Database, type EventSource, type Feature, type MeterResource, type Product } from '#persistence';
import { CatalogItems } from './catalog-items.js';
import { featureKind, meterKind, productKind } from './catalog-kinds.js';
import { eventSourceKind } from './event-source-kind.js';
import type { Surroundings } from './surroundings.js';

export class Products extends CatalogItems<Product, ProductReplace> {
  constructor(surroundings: Surroundings) {
    super(productKind, surroundings);
  }
}

export class Features extends CatalogItems<Feature, FeatureReplace> {
  constructor(surroundings: Surroundings) {
    super(featureKind, surroundings);
  }
}

export class Meters extends CatalogItems<MeterResource, MeterReplace> {
  constructor(surroundings: Surroundings) {
    super(meterKind, surroundings);
  }
}

export class EventSources extends CatalogItems<EventSource, EventSourceReplace> {
  constructor(surroundings: Surroundings) {
    super(eventSourceKind, surroundings);
  }
}

/** The keys of meters by their ids, for showing both. */
export class MeterKeys {
  constructor(private readonly database: Database) {}

  async execute(organizationId: string, ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
    if (ids.length === 0) return new Map();
    const meters = await this.database.inOrganization(organizationId, (manager) => readMeters(manager, { references: ids }));
    return new Map(meters.map(({ id, key }) => [id, key]));
  }
}
