import { z } from 'zod';
import { listenSettings, portSetting, urlSetting } from '#service';
import type { AppName } from './route-table.js';

const processUrl = urlSetting(['http:']);

/** One URL for each process of an app, with commas between them. */
const urlsSetting = (byDefault: string) => z.string().default(byDefault).transform((text) => text.split(',').map((url) => url.trim().replace(/\/$/, ''))).pipe(z.array(processUrl));

export const frontConfigSchema = z.object({
  PORT: portSetting.default(4000),
  ...listenSettings,
  INGEST_URLS: urlsSetting('http://127.0.0.1:4001'),
  AGGREGATOR_URLS: urlsSetting('http://127.0.0.1:4002'),
  RATING_URLS: urlsSetting('http://127.0.0.1:4003'),
  INVOICING_URLS: urlsSetting('http://127.0.0.1:4004'),
  BILLING_API_URLS: urlsSetting('http://127.0.0.1:4005'),
});

export type FrontConfig = z.output<typeof frontConfigSchema>;

export function urlsOf(config: FrontConfig): Record<AppName, readonly string[]> {
  return {
    ingest: config.INGEST_URLS, aggregator: config.AGGREGATOR_URLS, rating: config.RATING_URLS, invoicing: config.INVOICING_URLS, 'billing-api': config.BILLING_API_URLS,
  };
}
