import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { onEachTopology, type Product } from './product.js';

// Goal: what README tells a newcomer works as it stands. Method: its commands are taken from the text and run by a shell.

const readme = readFileSync('README.md', 'utf8');
const steps = [...readme.matchAll(/<!-- tour:step -->\n```sh\n([\s\S]*?)```/g)].map(([, commands = '']) => commands);
const key = /TOLLWAY_BOOTSTRAP_API_KEY=(\S+)/.exec(readme)?.[1] ?? '';

interface Invoice {
  readonly status: string;
  readonly total: string;
  readonly lines: readonly { readonly kind: string; readonly amount: string; readonly price_key: string | null }[];
}

onEachTopology('the tour in README', (start) => {
  let product: Product;
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tollway-tour-'));
    product = await start({ environment: { TOLLWAY_BOOTSTRAP_API_KEY: key } });
  }, 200_000);
  afterAll(async () => {
    await product?.dispose();
    rmSync(folder, { recursive: true, force: true });
  }, 90_000);

  it('ends with the invoice that the text promises', async () => {
    expect(steps.length).toBeGreaterThan(4);
    const { stdout } = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', steps.join('\n')], {
      cwd: folder,
      env: { ...process.env, TOLLWAY: product.url },
      timeout: 60_000,
    });
    const answers = stdout.trim().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);
    const [, , , usage, rated, invoices] = answers.slice(-6) as [unknown, unknown, unknown, { data: { value: string }[] }, { total: Record<string, string> }, { data: Invoice[] }];
    expect(usage.data.map(({ value }) => value)).toEqual(['251']);
    // January: its base fee 49.00, requests 151 × 0.01 = 1.51, traffic 2.5 GB × 0.08 = 0.20.
    expect(rated.total).toEqual({ USD: '50.71' });
    // The second invoice: those 1.51 and 0.20, and February's base fee.
    const [second, first] = invoices.data;
    expect(first).toMatchObject({ status: 'paid', total: '49.00' });
    expect(second).toMatchObject({ status: 'paid', total: '50.71' });
    expect(Object.fromEntries((second?.lines ?? []).map(({ price_key: price, amount }) => [price, amount]))).toEqual({ base: '49.00', requests: '1.51', traffic: '0.20' });
  }, 90_000);
});
