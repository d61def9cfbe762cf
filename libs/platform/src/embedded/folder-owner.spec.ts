import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { claimFolder } from './folder-owner.js';
import { optionalPackage } from './optional-package.js';
import { commandOf, processStartOf } from './process-identity.js';

let dataDir: string;
let ownerFile: string;

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'folder-owner-spec-'));
  ownerFile = join(dataDir, 'postgres.owner.json');
});

afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

const claim = (): ReturnType<typeof claimFolder> => claimFolder({ dataDir, store: 'postgres', socketDir: '/tmp/ours' });

describe('claimFolder', () => {
  it('is refused until the owner releases it', () => {
    const first = claim();
    expect(claim).toThrow('is already in use by this very process');
    expect(claimFolder({ dataDir, store: 'clickhouse', socketDir: null }).abandonedSocketDir).toBeNull(); // Another store has its own claim.
    first.release();
    expect(existsSync(ownerFile)).toBe(false);
    claim();
  });

  it.each([
    ['whose process is gone', JSON.stringify({ pid: 4_194_304, startedAt: '1', socketDir: '/tmp/left' }), '/tmp/left'],
    ['whose id belongs to a younger process', JSON.stringify({ pid: process.pid, startedAt: 'long ago', socketDir: '/tmp/left' }), '/tmp/left'],
    ['that a crash cut short', '{"pid":12', null],
  ])('takes over from an owner %s', (_, content, abandonedSocketDir) => {
    writeFileSync(ownerFile, content);
    expect(claim().abandonedSocketDir).toBe(abandonedSocketDir);
    expect(claim).toThrow('is already in use');
  });
});

describe('processStartOf and commandOf', () => {
  it('know a process as long as it runs', async () => {
    const child = spawn('sleep', ['60']);
    const pid = child.pid ?? 0;
    expect(processStartOf(pid)).toBe(processStartOf(pid));
    expect(commandOf(pid)).toContain('sleep 60');
    const gone = new Promise((done) => child.once('exit', done));
    child.kill('SIGKILL');
    await gone;
    expect([processStartOf(pid), commandOf(pid)]).toEqual([null, null]);
  });
});

describe('optionalPackage', () => {
  it('finds what is installed and says in a sentence what is not', () => {
    expect(optionalPackage({ name: 'chdb', purpose: 'an embedded ClickHouse' })).toContain('chdb');
    expect(() => optionalPackage({ name: 'no-such-package', purpose: 'an embedded ClickHouse' })).toThrow(
      'The package no-such-package is not installed, so an embedded ClickHouse is not possible here. Run `npm ci` without --omit=optional on a supported platform, or give the address of a real server.',
    );
  });
});
