import { z } from 'zod';

export const portSetting = z.string().regex(/^\d{1,5}$/, 'Give a port from 0 to 65535.').transform(Number).refine((value) => value <= 65_535, 'Give a port from 0 to 65535.');

export const urlSetting = (schemes: readonly string[]) =>
  z.string('Give a URL.').refine((text) => URL.canParse(text) && schemes.includes(new URL(text).protocol), `Give a URL that starts with ${schemes.map((scheme) => `${scheme}//`).join(' or ')}.`);

export const onOffSetting = z.enum(['on', 'off'], 'Say on or off.').transform((value) => value === 'on');

/** host:port, several with commas between them. */
const brokersSetting = z
  .string()
  .regex(/^[^\s,:]+:\d{1,5}(,[^\s,:]+:\d{1,5})*$/, 'Give host:port, several with commas between them.')
  .transform((text) => text.split(','));

export const secretSetting = z.string('Give a secret, the same to every app.').min(32, 'Give at least 32 characters.');

export const bootstrapKeySetting = z
  .string()
  .regex(/^tw_test_[\x21-\x7e]+$/, 'The first organization is a test organization: its key starts with tw_test_.')
  .min(24, 'Give at least 24 characters.')
  .max(200, 'Give at most 200 characters.');

/** Where a process listens and what it writes to its log. */
export const listenSettings = {
  HOST: z.string().min(1).default('127.0.0.1'),
  TOLLWAY_LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error'], 'Say trace, debug, info, warn or error.').default('warn'),
};

/** The tables have a database of their own, which a path would replace, for some of the connections only. */
const clickHouseSetting = urlSetting(['http:', 'https:']).refine(
  (text) => !URL.canParse(text) || new URL(text).pathname === '/',
  'Give the address without a path: the tables are in a database of their own, tollway.',
);

/** Where the stores are. Without brokers the event log is on Postgres, and without Redis the job queue is. */
export const storeSettings = {
  DATABASE_URL: urlSetting(['postgres:', 'postgresql:']),
  CLICKHOUSE_URL: clickHouseSetting,
  KAFKA_BROKERS: brokersSetting.optional(),
  REDIS_URL: urlSetting(['redis:', 'rediss:']).optional(),
};
