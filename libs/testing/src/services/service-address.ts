import { inject } from 'vitest';

/** The address of the run's shared store; the first caller of the run waits until it has started. */
export async function serviceAddress(store: 'postgres' | 'clickhouse' | 'kafka'): Promise<string> {
  const broker = inject('serviceBroker') as string | undefined;
  if (broker === undefined) throw new Error('The stores of a test run are started by libs/testing/src/services/global-setup.ts: name it under test.globalSetup in vitest.config.ts.');
  const response = await fetch(`${broker}/${store}`);
  const text = await response.text();
  if (!response.ok) throw new Error(`The run's ${store} did not start: ${text}`);
  return text;
}
