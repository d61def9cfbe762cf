import { readFile } from 'node:fs/promises';
import { ApiRefusal, TollwayApi } from './tollway-api.js';
import { applyCatalog, compareCatalog, type CatalogChange } from './apply-catalog.js';
import { exportCatalog } from './export-catalog.js';
import { readCatalog, type CatalogFile } from './catalog-file.js';

export interface Invocation {
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly say: (text: string) => void;
  readonly complain: (text: string) => void;
}

const usage = `tollway catalog validate|diff|apply <file>
tollway catalog export

  validate   checks a catalog file by itself
  diff       says what applying it would change
  apply      creates and replaces by key what differs; nothing is removed
  export     says what is in use as such a file

A catalog file is YAML or JSON with products, meters, features, plans and add_ons, each as the API takes them by PUT.
A plan with "draft: true" is applied as the draft of its next version, which nobody can subscribe to until it is published.
TOLLWAY_URL names the server (http://127.0.0.1:4000), TOLLWAY_API_KEY the key.`;

type Command = (catalog: CatalogFile, api: TollwayApi, invocation: Invocation) => Promise<void>;

const commands: Readonly<Record<string, Command>> = {
  validate: async (catalog, _api, { say }) => say(`The catalog is sound: ${countWords(catalog)}.`),
  diff: async (catalog, api, { say }) => tell(await compareCatalog(catalog, api), say),
  apply: async (catalog, api, { say }) => {
    const changes = await compareCatalog(catalog, api);
    tell(changes, say);
    await applyCatalog(changes, api);
    if (changes.length > 0) say(`Applied: ${changes.length === 1 ? 'one object' : `${changes.length} objects`}.`);
  },
};

/** Runs one command. Returns the exit code: 0, 1 for what was refused, 2 for a call that is none. */
export async function run(invocation: Invocation): Promise<number> {
  const [noun, verb = '', path, ...rest] = invocation.args;
  if (noun === 'catalog' && verb === 'export' && path === undefined) return withApi(invocation, async (api) => invocation.say((await exportCatalog(api)).trimEnd()));
  const command = Object.hasOwn(commands, verb) ? commands[verb] : undefined;
  if (noun !== 'catalog' || command === undefined || path === undefined || rest.length > 0) {
    invocation.complain(usage);
    return 2;
  }
  const text = await readFile(path, 'utf8').catch(() => null);
  if (text === null) return refuse(invocation, [`${path} can not be read.`]);
  const catalog = readCatalog(text);
  if (!catalog.ok) return refuse(invocation, catalog.faults.map((fault) => `${path}${fault}`));
  return withApi(invocation, (api) => command(catalog.catalog, api, invocation), { needsKey: verb !== 'validate' });
}

async function withApi(invocation: Invocation, act: (api: TollwayApi) => Promise<void>, { needsKey } = { needsKey: true }): Promise<number> {
  const { TOLLWAY_URL: url = 'http://127.0.0.1:4000', TOLLWAY_API_KEY: key = '' } = invocation.environment;
  if (needsKey && key === '') return refuse(invocation, ['Set TOLLWAY_API_KEY to the key of your organization.']);
  try {
    await act(new TollwayApi({ url, key }));
    return 0;
  } catch (error) {
    if (error instanceof ApiRefusal) return refuse(invocation, error.lines);
    throw error;
  }
}

function refuse({ complain }: Invocation, lines: readonly string[]): number {
  for (const line of lines) complain(line);
  return 1;
}

function tell(changes: readonly CatalogChange[], say: (text: string) => void): void {
  if (changes.length === 0) say('Nothing differs.');
  for (const { heading, differences } of changes) {
    say(heading);
    for (const difference of differences) say(`  ${difference}`);
  }
}

function countWords(catalog: CatalogFile): string {
  const counts = Object.entries(catalog).map(([noun, items]) => `${items.length} ${(items.length === 1 ? noun.replace(/s$/, '') : noun).replace('_', '-')}`);
  return counts.length === 0 ? 'it is empty' : counts.join(', ');
}
