import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from '#platform';
import { DemoClient } from './demo-client.js';
import { demoMonth, fillDemo } from './fill-demo.js';

export interface DemoOptions {
  readonly url: string;
  readonly dataDir: string;
  readonly logger: Logger;
  readonly say: (sentence: string) => void;
  readonly now: () => Temporal.Instant;
  /** Makes a test organization of that name and gives its owner's key. */
  readonly createOrganization: (name: string) => Promise<string>;
}

/**
 * Fills a demo organization at the first start, behind the running product and over its own HTTP interface, and says
 * where to look. Later starts only say it again. A start that is stopped in between begins anew with another organization.
 */
export function showDemo(options: DemoOptions): { stop(): Promise<void> } {
  const stopped = new AbortController();
  const showing = show(options, stopped.signal).catch((error: unknown) => {
    if (!stopped.signal.aborted) options.logger.warn({ err: error }, 'The demo could not be filled.');
  });
  return {
    async stop() {
      stopped.abort();
      await showing;
    },
  };
}

async function show(options: DemoOptions, signal: AbortSignal): Promise<void> {
  const file = join(options.dataDir, 'demo.json');
  if (existsSync(file)) {
    point(options, JSON.parse(readFileSync(file, 'utf8')) as Demo);
    return;
  }
  options.say('Filling a demo organization with a month of traffic …');
  const key = await options.createOrganization('Demo');
  const month = demoMonth(options.now());
  await fillDemo(new DemoClient({ url: options.url, key, signal }), month);
  const demo: Demo = { key, from: month.start.toString(), to: month.end.toString() };
  writeFileSync(`${file}.new`, `${JSON.stringify(demo)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
  point(options, demo);
}

/** What later starts need to know of the demo; its key opens nothing but the demo. */
interface Demo {
  readonly key: string;
  readonly from: string;
  readonly to: string;
}

function point({ url, say }: DemoOptions, { key, from, to }: Demo): void {
  const ask = (path: string): string => `  curl -H 'Authorization: Bearer ${key}' '${url}${path}'`;
  say(
    [
      'The demo organization has a month of traffic, rated and invoiced. Look at it:',
      ask('/v1/customers'),
      ask(`/v1/meters/requests/usage?from=${from}&to=${to}&window=day&group_by=customer`),
      ask(`/v1/rated-usage?from=${from}&to=${to}&group_by=customer,price`),
      ask('/v1/invoices'),
    ].join('\n'),
  );
}
