import { z } from 'zod';
import { aggregatorConfigSchema } from '#aggregator';
import { ingestConfigSchema } from '#ingest';
import { invoicingConfigSchema } from '#invoicing';

const port = z.string().regex(/^\d{1,5}$/, 'Give a port from 0 to 65535.').transform(Number).refine((value) => value <= 65_535, 'Give a port from 0 to 65535.');
const url = (schemes: readonly string[]) =>
  z.string().refine((text) => URL.canParse(text) && schemes.includes(new URL(text).protocol), `Give a URL that starts with ${schemes.map((scheme) => `${scheme}//`).join(' or ')}.`);
const onOff = z.enum(['on', 'off'], 'Say on or off.').transform((value) => value === 'on');

const ownSchema = z.object({
  PORT: port.default(4000),
  HOST: z.string().min(1).default('127.0.0.1'),
  TOLLWAY_DATA_DIR: z.string().min(1).default('./.tollway'),
  TOLLWAY_BOOTSTRAP_API_KEY: z
    .string()
    .regex(/^tw_test_[\x21-\x7e]+$/, 'The first organization is a test organization: its key starts with tw_test_.')
    .min(24, 'Give at least 24 characters.')
    .max(200, 'Give at most 200 characters.')
    .optional(),
  TOLLWAY_DEMO: onOff.default(true),
  TOLLWAY_SECRET: z.string().min(32, 'Give at least 32 characters.').optional(),
  TOLLWAY_LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error'], 'Say trace, debug, info, warn or error.').default('warn'),
  DATABASE_URL: url(['postgres:', 'postgresql:']).optional(),
  CLICKHOUSE_URL: url(['http:', 'https:']).optional(),
  REDIS_URL: url(['redis:', 'rediss:']).optional(),
});

/** Everything that standalone takes from the environment: its own settings and those of the apps that it runs. */
export const standaloneConfigSchema = ownSchema.and(ingestConfigSchema).and(aggregatorConfigSchema).and(invoicingConfigSchema);

export type StandaloneConfig = z.output<typeof standaloneConfigSchema>;
