import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const secretBytes = 32;

/**
 * The secret under which API keys are hashed and payment credentials encrypted: TOLLWAY_SECRET, or one that is made at the
 * first start and kept in the data folder, readable by its owner only. Losing it makes every key unknown.
 */
export function serverSecret(options: { given: string | undefined; dataDir: string }): string {
  if (options.given !== undefined) return options.given;
  const file = join(options.dataDir, 'secret');
  if (existsSync(file)) return readFileSync(file, 'utf8').trim();
  mkdirSync(options.dataDir, { recursive: true });
  const secret = randomBytes(secretBytes).toString('base64url');
  // Written whole under another name first: a start that is killed here must not leave an empty secret.
  writeFileSync(`${file}.new`, `${secret}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
  return secret;
}
