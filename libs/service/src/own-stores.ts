import { resolve } from 'node:path';
import { startClickHouseFront, startEmbeddedPostgres, type Logger } from '#platform';

export interface OwnStore {
  readonly ended: Promise<unknown>;
  stop(): Promise<void>;
}

export interface OwnStoresOptions {
  readonly dataDir: string;
  readonly logger: Logger;
  readonly connectionsMax?: number;
}

const clickHouseMemoryMaxBytes = 1_500_000_000;

/** The stores that a process starts for itself. They are stopped in the reverse order of their start. */
export class OwnStores {
  /** Resolves with a sentence when a store ended and can't be kept alive; never, where none of them is ours. */
  readonly lost: Promise<string>;
  private readonly starting: Promise<unknown>[] = [];
  private readonly started: { readonly name: string; readonly store: OwnStore }[] = [];
  private readonly onLost: (sentence: string) => void;

  constructor(private readonly options: OwnStoresOptions) {
    const { promise, resolve: onLost } = Promise.withResolvers<string>();
    this.lost = promise;
    this.onLost = onLost;
  }

  /** Returns its URL, for the owner of its tables. */
  async startPostgres(): Promise<string> {
    const { connectionsMax } = this.options;
    const start = () => startEmbeddedPostgres({ dataDir: this.dataDir, onNotice: (notice) => this.warn(notice), ...(connectionsMax === undefined ? {} : { connectionsMax }) });
    return (await this.keep(start, ({ pid }) => `Postgres (process ${pid})`)).url;
  }

  async startClickHouse(): Promise<string> {
    const start = () => startClickHouseFront({ dataDir: this.dataDir, memoryMaxBytes: clickHouseMemoryMaxBytes, onNotice: (notice) => this.warn(notice) });
    const front = await this.keep(start, ({ pid, url }) => `ClickHouse (process ${pid()}, port ${new URL(url).port})`);
    front.onRestart((restart) => this.options.logger.error({ restart }, 'The ClickHouse process died and was started again.'));
    return front.url;
  }

  /** Starts a store of another kind, to be stopped with the others. */
  async keep<Store extends OwnStore>(start: () => Promise<Store>, nameOf: (store: Store) => string): Promise<Store> {
    const starting = start();
    this.starting.push(starting);
    const store = await starting;
    const name = nameOf(store);
    this.started.push({ name, store });
    void store.ended.then(() => this.onLost(`${name} ended.`));
    return store;
  }

  /** For people: what runs, its processes and ports. */
  get names(): readonly string[] {
    return this.started.map(({ name }) => name);
  }

  get dataDir(): string {
    return resolve(this.options.dataDir);
  }

  async stop(): Promise<void> {
    await Promise.allSettled(this.starting); // Where one could not start, another may be about to.
    for (const { name, store } of this.started.splice(0).toReversed()) {
      await store.stop().catch((error: unknown) => this.options.logger.error({ err: error }, `${name} did not stop cleanly.`));
    }
  }

  private warn(sentence: string): void {
    this.options.logger.warn(sentence);
  }
}
