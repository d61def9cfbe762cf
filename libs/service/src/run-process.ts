import type { z } from 'zod';
import { ConfigInvalid, loadConfig, makeLogger, type Logger } from '#platform';

export interface ProcessOptions<Config> {
  /** As a reader of its output knows it. */
  readonly name: string;
  readonly settings: z.ZodType<Config>;
  /** Serves until `stopping` resolves, and returns the exit code. */
  readonly serve: (config: Config, process: ServedProcess) => Promise<number>;
}

export interface ServedProcess {
  readonly logger: Logger;
  /** Resolves at the first SIGTERM or SIGINT, and when the parent that started this process ends. */
  readonly stopping: Promise<null>;
}

interface Started {
  readonly args: readonly string[];
  readonly environment: Record<string, string | undefined>;
}

const orphanTimeoutMs = 10_000;
const lingerMs = 300;

/** Reads the configuration, names every fault of it at once, serves, and returns the exit code. `--validate` only reads it. */
export async function runProcess<Config extends { TOLLWAY_LOG_LEVEL: string }>(options: ProcessOptions<Config>, { args, environment }: Started): Promise<number> {
  let config: Config;
  try {
    config = loadConfig(options.settings, environment);
  } catch (error) {
    if (!(error instanceof ConfigInvalid)) throw error;
    say(error.message);
    return 1;
  }
  if (args.includes('--validate')) {
    say('The configuration is valid.');
    return 0;
  }
  const logger = makeLogger({ name: options.name, level: config.TOLLWAY_LOG_LEVEL });
  const code = await options.serve(config, { logger, stopping: stopSignal() }).catch((error: unknown) => {
    logger.error({ err: error }, `${options.name} could not go on.`);
    say(`${options.name} could not go on: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  });
  endSoon(code, logger);
  return code;
}

/** Everything is closed by now; a connection that a library forgot must not hold up the end. */
function endSoon(code: number, logger: Logger): void {
  setTimeout(() => {
    logger.info({ left: process.getActiveResourcesInfo() }, 'Something was left open.');
    process.exit(code);
  }, lingerMs).unref();
}

/** A second SIGINT ends the process at once, as whoever presses Ctrl-C twice wants. */
function stopSignal(): Promise<null> {
  return new Promise((resolve) => {
    let asked = false;
    const onSignal = (signal?: NodeJS.Signals): void => {
      if (asked && signal === 'SIGINT') process.exit(130);
      asked = true;
      resolve(null);
    };
    process.on('SIGTERM', onSignal);
    process.on('SIGINT', onSignal);
    // Whoever starts this process with a channel wants it to end with them, however they end; their stores end with them too.
    process.on('disconnect', () => {
      onSignal();
      setTimeout(() => process.exit(1), orphanTimeoutMs).unref();
    });
    process.channel?.unref();
  });
}

/** To whoever looks at the process, not to its log. */
export function say(sentence: string): void {
  process.stdout.write(`${sentence}\n`);
}
