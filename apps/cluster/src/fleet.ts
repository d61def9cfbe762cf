import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { appNames, type AppName } from '#front';
import { Fault, freePort, systemClock } from '#platform';
import { say } from '#service';
import { AppProcess } from './app-process.js';
import type { Replicas } from './config.js';

export interface FleetOptions {
  readonly replicas: Replicas;
  /** What every process gets. */
  readonly environment: Record<string, string | undefined>;
  readonly listen: { readonly port: number; readonly host: string };
}

/** Who takes requests ends before who works on what they left behind. */
const stopOrder: readonly (readonly AppName[])[] = [['ingest', 'billing-api'], ['aggregator', 'rating', 'invoicing']];
const urlSettings: Readonly<Record<AppName, string>> = {
  ingest: 'INGEST_URLS', aggregator: 'AGGREGATOR_URLS', rating: 'RATING_URLS', invoicing: 'INVOICING_URLS', 'billing-api': 'BILLING_API_URLS',
};

/** Runs the step that comes before all apps: tables, topics, the first organization. */
export async function prepare(environment: Record<string, string | undefined>): Promise<void> {
  const child = spawn(process.execPath, [scriptOf('billing-api', 'prepare-main')], { env: environment, stdio: ['ignore', 'inherit', 'inherit'] });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Fault({ code: 'prepare_failed', detail: 'The stores could not be prepared.', retryable: false });
}

/** Every app as one or more processes, and the front before them. */
export class Fleet {
  private readonly apps = new Map<AppName, readonly AppProcess[]>();
  private front: AppProcess | null = null;

  constructor(private readonly options: FleetOptions) {}

  /** Resolves when all answer. */
  async start(): Promise<void> {
    const { environment, listen, replicas } = this.options;
    for (const app of appNames) {
      const processes = await Promise.all(Array.from({ length: replicas[app] }, async (_, index) => this.processOf(replicas[app] > 1 ? `${app} ${index + 1}` : app, app)));
      this.apps.set(app, processes);
    }
    const urls = Object.fromEntries([...this.apps].map(([app, each]) => [urlSettings[app], each.map(({ url }) => url).join(',')]));
    this.front = new AppProcess({ name: 'front', script: scriptOf('front', 'main'), port: listen.port, host: listen.host, environment: { ...environment, ...urls }, clock: systemClock, say });
    const processes = [...[...this.apps.values()].flat(), this.front];
    for (const process of processes) process.start();
    await Promise.all(processes.map((process) => process.ready()));
  }

  async stop(): Promise<void> {
    await this.front?.stop();
    for (const together of stopOrder) await Promise.all(together.flatMap((app) => this.apps.get(app) ?? []).map((process) => process.stop()));
  }

  private async processOf(name: string, app: AppName): Promise<AppProcess> {
    return new AppProcess({ name, script: scriptOf(app, 'main'), port: await freePort(), host: '127.0.0.1', environment: this.options.environment, clock: systemClock, say });
  }
}

/** Compiled beside this file, in the folder of its app. */
function scriptOf(app: AppName | 'front', file: string): string {
  return fileURLToPath(new URL(`../../${app}/src/${file}.js`, import.meta.url));
}
