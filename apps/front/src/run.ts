import { systemClock } from '#platform';
import { runProcess, say, type ServedProcess } from '#service';
import { frontConfigSchema, urlsOf, type FrontConfig } from './config.js';
import { createFront } from './create-front.js';
import { Upstreams } from './upstreams.js';

export function run(): Promise<number> {
  return runProcess({ name: 'tollway-front', settings: frontConfigSchema, serve }, { args: process.argv.slice(2), environment: process.env });
}

async function serve(config: FrontConfig, { logger, stopping }: ServedProcess): Promise<number> {
  const upstreams = new Upstreams(urlsOf(config), systemClock);
  const front = createFront({ upstreams, logger });
  try {
    await upstreams.start();
    say(`front is ready on ${await front.listen({ port: config.PORT, host: config.HOST })} (process ${process.pid}).`);
    await stopping;
    return 0;
  } finally {
    await front.close();
    await upstreams.stop();
  }
}
