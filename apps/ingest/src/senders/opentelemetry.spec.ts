import { OTLPLogExporter as JsonExporter } from '@opentelemetry/exporter-logs-otlp-http';
import { OTLPLogExporter as ProtobufExporter } from '@opentelemetry/exporter-logs-otlp-proto';
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs';
import { afterEach, describe, expect, it } from 'vitest';
import { usePostgres } from '#testing';
import { SenderSetting } from './sender-setting.js';

usePostgres();

let setting: SenderSetting;
afterEach(async () => {
  await setting.close();
});

const recordsMax = 700;

describe('the logs SDK of OpenTelemetry', () => {
  // Goal: a record is an event, whatever the encoding, and a batch that got 503 is sent again by the SDK itself.
  it.each([['JSON', JsonExporter], ['protobuf', ProtobufExporter]])('exports its records as %s', async (name, Exporter) => {
    setting = await SenderSetting.open({ appendsToFail: 1 });
    const exporter = new Exporter({ url: `${setting.ingest.origin}/v1/logs`, headers: { authorization: 'Bearer key-1' }, compression: 'gzip' as never });
    const provider = new LoggerProvider({ processors: [new BatchLogRecordProcessor({ exporter, maxExportBatchSize: 200 })] });
    const logger = provider.getLogger('usage');
    const happened = Temporal.Now.instant().subtract({ minutes: 5 }).round('millisecond');
    for (let id = 0; id < recordsMax; id += 1) {
      const attributes = { 'event.id': `${name}-${id}`, 'customer.id': id % 7 === 0 ? 'acme' : 'globex', tokens: id, share: 0.125, route: '/v1/"quoted"/café' };
      logger.emit({ eventName: 'api.request', timestamp: happened.epochMilliseconds, attributes });
      if (id % 10 === 0) logger.emit({ eventName: 'api.request', timestamp: happened.epochMilliseconds, attributes }); // A copy.
    }
    await provider.forceFlush();
    expect(await setting.countsBySubject(recordsMax)).toEqual({ acme: 100, globex: 600 });
    const events = new Map((await setting.ingest.events()).map((event) => [event.id, event]));
    expect(events.get(`${name}-699`)).toMatchObject({ source: 'otlp', type: 'api.request', subject: 'globex', time: happened.toString({ smallestUnit: 'microsecond' }), time_given: true });
    const data = [...events.values()].map((event) => JSON.parse(event.data) as { tokens: number; share: number; route: string });
    expect(data.reduce((sum, { tokens }) => sum + tokens, 0)).toBe(244_650); // 0 + 1 + … + 699.
    expect(data.every(({ share, route }) => share === 0.125 && route === '/v1/"quoted"/café')).toBe(true);
    expect(await setting.ingest.refused()).toEqual([]);
    await provider.shutdown();
  }, 60_000);
});
