/** An event as a gateway posts it. */
export interface PostedEvent {
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject: string;
  readonly time: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface EventsWanted {
  readonly count: number;
  /** Begins every id, so that no two runs share an identity. */
  readonly prefix: string;
  readonly type: string;
  readonly subjects: number;
  /** Of the first event; the others follow a millisecond apart. */
  readonly from: Temporal.Instant;
}

const routes = ['/v1/geocode', '/v1/route', '/v1/matrix', '/v1/places', '/v1/tiles'];

/** Calls of an API, about 200 bytes of JSON each. The same for the same wish. */
export function usageEvents({ count, prefix, type, subjects, from }: EventsWanted): PostedEvent[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `${prefix}-${index.toString().padStart(7, '0')}`,
    source: 'gw-eu-1',
    type,
    subject: `subject-${(index * 31) % subjects}`,
    time: from.add({ milliseconds: index }).toString({ smallestUnit: 'millisecond' }),
    data: { route: routes[index % routes.length], bytes: 200 + ((index * 37) % 5_000), latency_ms: 3 + ((index * 13) % 400), status: index % 50 === 0 ? 500 : 200 },
  }));
}

/** The events as bodies of `size` events each. */
export function batchesOf(events: readonly PostedEvent[], size: number): string[] {
  const bodies: string[] = [];
  for (let at = 0; at < events.length; at += size) bodies.push(JSON.stringify(events.slice(at, at + size)));
  return bodies;
}
