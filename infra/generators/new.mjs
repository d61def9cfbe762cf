// npm run new -- use-case <app> <verb-noun>: makes a use case and its spec in the house's shape.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';

const apps = ['ingest', 'aggregator', 'rating', 'invoicing', 'billing-api'];
const [kind, app, name] = process.argv.slice(2);

function fail(sentence) {
  console.error(`${sentence}\nUsage: npm run new -- use-case <${apps.join('|')}> <verb-noun>`);
  process.exit(1);
}

if (kind !== 'use-case') fail(`There is no generator "${kind ?? ''}".`);
if (!apps.includes(app)) fail(`There is no app "${app ?? ''}".`);
if (!/^[a-z]+(-[a-z]+)+$/.test(name ?? '')) fail('A use case is called by a verb and a noun, like void-invoice.');

const pascal = name.split('-').map((word) => word[0].toUpperCase() + word.slice(1)).join('');
const folder = `apps/${app}/src`;
const file = `${folder}/${name}.ts`;
if (existsSync(file)) fail(`${file} is there already.`);

mkdirSync(folder, { recursive: true });
writeFileSync(
  file,
  `import { accepted, type Outcome } from '#platform';
import type { Database } from '#persistence';

export interface ${pascal}Command {
  readonly organizationId: string;
}

export type ${pascal}Code = 'not_found';

/** Loads, calls one pure function of the domain, and saves. */
export class ${pascal} {
  constructor(private readonly database: Database) {}

  async execute(command: ${pascal}Command): Promise<Outcome<null, ${pascal}Code>> {
    return this.database.inOrganization(command.organizationId, async () => accepted(null));
  }
}
`,
);
writeFileSync(
  `${folder}/${name}.spec.ts`,
  `import { describe, expect, it } from 'vitest';
import { ${pascal} } from './${name}.js';

describe('${name.replaceAll('-', ' ')}', () => {
  it('says what it does, with an expectation computed by hand', () => {
    expect(${pascal}, 'Write the first case before the code.').toBeUndefined();
  });
});
`,
);
console.log(`${file}\n${folder}/${name}.spec.ts (fails until its first case is written)`);
