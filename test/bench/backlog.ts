import { HttpLoad, postRequest } from './http-load.ts';
import { benchKey } from './ingest-setting.ts';
import { batchesOf, usageEvents, type EventsWanted } from './usage-events.ts';

const batchSize = 1_000;
const eventsAtOnce = 50_000;
const connections = 4;

/** Puts events into the log, `count` a multiple of 1,000; nothing is timed here. */
export async function postBacklog({ port, ...wanted }: EventsWanted & { readonly port: number }): Promise<void> {
  const load = await HttpLoad.open({ port, connections });
  try {
    for (let at = 0; at < wanted.count; at += eventsAtOnce) {
      const events = usageEvents({ ...wanted, count: Math.min(eventsAtOnce, wanted.count - at), prefix: `${wanted.prefix}-${at}` });
      const requests = batchesOf(events, batchSize).map((body) => postRequest({ path: '/v1/events', key: benchKey, body }));
      await load.sendAll(requests, { status: 202, body: `{"accepted":${batchSize},"rejected":[]}` });
    }
  } finally {
    load.close();
  }
}
