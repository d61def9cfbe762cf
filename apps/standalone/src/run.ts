import { ConfigInvalid, Fault, loadConfig, makeLogger, systemClock, type Logger } from '#platform';
import { openAdapters } from './adapters.js';
import { composeApp } from './compose-app.js';
import { standaloneConfigSchema, type StandaloneConfig } from './config.js';
import { showDemo } from './demo/show-demo.js';
import { serverSecret } from './server-secret.js';
import { startStores } from './stores.js';

/** Starts everything in this process, serves until SIGTERM or SIGINT, and drains. Returns the exit code. */
export async function run(args: readonly string[], environment: Record<string, string | undefined>): Promise<number> {
  let config: StandaloneConfig;
  try {
    config = loadConfig(standaloneConfigSchema, environment);
  } catch (error) {
    if (!(error instanceof ConfigInvalid)) throw error;
    say(error.message);
    return 1;
  }
  if (args.includes('--validate')) {
    say('The configuration is valid.');
    return 0;
  }
  const logger = makeLogger({ name: 'tollway', level: config.TOLLWAY_LOG_LEVEL });
  try {
    return await serve(config, logger);
  } catch (error) {
    logger.error({ err: error }, 'Tollway could not start.');
    say(`Tollway could not start: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  }
}

async function serve(config: StandaloneConfig, logger: Logger): Promise<number> {
  const stopping = stopSignal();
  const secret = serverSecret({ given: config.TOLLWAY_SECRET, dataDir: config.TOLLWAY_DATA_DIR });
  const stores = await startStores(config, logger);
  try {
    const adapters = await openAdapters(config, stores, logger);
    const product = await composeApp({ config, adapters, secret, logger }).catch(async (error: unknown) => {
      await adapters.close();
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
      await adapters.close();
    }
  } finally {
    await stores.stop();
  }
}

/** Resolves with null at the first SIGTERM or SIGINT; a second SIGINT ends the process at once, as whoever presses Ctrl-C twice wants. */
function stopSignal(): Promise<null> {
  return new Promise((resolve) => {
    let asked = false;
    const onSignal = (signal: NodeJS.Signals): void => {
      if (asked && signal === 'SIGINT') process.exit(130);
      asked = true;
      resolve(null);
    };
    process.on('SIGTERM', onSignal);
    process.on('SIGINT', onSignal);
  });
}

function welcome(options: { url: string; generatedApiKey: string | null }): void {
  say(`Tollway is ready on ${options.url} (documents at ${options.url}/docs).`);
  if (options.generatedApiKey !== null) say(`The key of your organization, shown this once: ${options.generatedApiKey}`);
}

function say(sentence: string): void {
  process.stdout.write(`${sentence}\n`);
}
