import { createRequire } from 'node:module';
import { Fault } from '../errors/fault.js';

/**
 * Finds a package that an installation may lack, such as the production images, which talk to real servers.
 * Returns the path of its entry file; `seenFrom` is another file whose own dependencies are searched.
 */
export function optionalPackage(options: { name: string; purpose: string; seenFrom?: string }): string {
  try {
    return createRequire(options.seenFrom ?? import.meta.url).resolve(options.name);
  } catch (cause) {
    throw new Fault({
      code: 'optional_package_missing',
      detail:
        `The package ${options.name} is not installed, so ${options.purpose} is not possible here. ` +
        'Run `npm ci` without --omit=optional on a supported platform, or give the address of a real server.',
      retryable: false,
      cause,
    });
  }
}
