import { Fault, systemClock } from '#platform';
import { runProcess, say, serverSecret, type ServedProcess } from '#service';
import { closeAllAdapters, openAllAdapters } from './adapters.js';
import { composeApp } from './compose-app.js';
import { standaloneConfigSchema, type StandaloneConfig } from './config.js';
import { showDemo } from './demo/show-demo.js';
import { startStores } from './stores.js';

/** Starts everything in this process, serves until SIGTERM or SIGINT, and drains. Returns the exit code. */
export function run(): Promise<number> {
  return runProcess({ name: 'Tollway', settings: standaloneConfigSchema, serve }, { args: process.argv.slice(2), environment: process.env });
}

async function serve(config: StandaloneConfig, { logger, stopping }: ServedProcess): Promise<number> {
  const secret = serverSecret({ given: config.TOLLWAY_SECRET, dataDir: config.TOLLWAY_DATA_DIR });
  const stores = await startStores(config, logger);
  try {
    const adapters = await openAllAdapters({ addresses: stores.addresses, serverSecret: secret, logger });
    const product = await composeApp({ config, adapters, logger }).catch(async (error: unknown) => {
      await closeAllAdapters(adapters);
      throw error;
    });
    try {
      await product.app.listen({ port: config.PORT, host: config.HOST });
      const url = await product.app.getUrl();
      welcome({ url, generatedApiKey: product.organization.generatedApiKey });
      const { createOrganization } = product;
      const demo = config.TOLLWAY_DEMO
        ? showDemo({ url, dataDir: config.TOLLWAY_DATA_DIR, logger, say, now: () => systemClock.now(), createOrganization })
        : null;
      const lost = await Promise.race([stopping, stores.lost]);
      await demo?.stop();
      if (lost === null) return 0;
      throw new Fault({ code: 'store_lost', detail: lost, retryable: false });
    } finally {
      await product.app.close();
      await closeAllAdapters(adapters);
    }
  } finally {
    await stores.stop();
  }
}

function welcome(options: { url: string; generatedApiKey: string | null }): void {
  say(`Tollway is ready on ${options.url} (documents at ${options.url}/docs).`);
  if (options.generatedApiKey !== null) say(`The key of your organization, shown this once: ${options.generatedApiKey}`);
}
