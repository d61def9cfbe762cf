import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Fault, type EventLog } from '#platform';
import { startProgram, type ProgramOptions, type RunningProgram } from '#testing';
import { logWithAppend } from '../fixtures/log-with-append.js';
import { IngestFixture } from '../ingest-fixture.js';

const examples = join(import.meta.dirname, '../../../../examples/gateways');

/** The body of every answer of the service. */
export const served = 'served';

const waitMsMax = 30_000;
const pauseMs = 50;

export interface SettingOptions {
  /** How many appends to the log fail at first, so that the sender is told to try again. */
  readonly appendsToFail?: number;
}

/** What a gateway stands between in a test: a service that it passes requests to, ingest, and a folder of its own. */
export class SenderSetting {
  private readonly programs: RunningProgram[] = [];
  /** Requests that reached the service. */
  served = 0;

  private constructor(
    readonly ingest: IngestFixture,
    private readonly service: Server,
    readonly dir: string,
  ) {}

  static async open({ appendsToFail = 0 }: SettingOptions = {}): Promise<SenderSetting> {
    const ingest = await IngestFixture.start({ businessNow: Temporal.Now.instant().toString(), wrapLog: (log) => failingAtFirst(log, appendsToFail) });
    const service = createServer((request, response) => {
      setting.served += 1;
      request.resume();
      response.writeHead(request.url?.includes('missing') === true ? 404 : 200, { 'content-length': served.length }).end(served);
    });
    const setting = new SenderSetting(ingest, service, mkdtempSync(join(tmpdir(), 'tollway-sender-')));
    await new Promise<void>((done) => service.listen(0, '127.0.0.1', done));
    return setting;
  }

  get servicePort(): number {
    return (this.service.address() as AddressInfo).port;
  }

  get ingestAddress(): string {
    return new URL(this.ingest.origin).host;
  }

  /** Writes an example that the guides show into the folder, with the test's addresses in place of those that stand there. */
  configure(example: string, replacements: Readonly<Record<string, string>>): string {
    let text = readFileSync(join(examples, example), 'utf8');
    for (const [shown, used] of Object.entries(replacements)) {
      if (!text.includes(shown)) throw new Error(`${example} does not hold ${shown}.`);
      text = text.replaceAll(shown, used);
    }
    return this.write({ name: example.replaceAll('/', '-'), text });
  }

  write({ name, text }: { readonly name: string; readonly text: string }): string {
    const path = join(this.dir, name);
    writeFileSync(path, text);
    return path;
  }

  async run(options: ProgramOptions): Promise<RunningProgram> {
    const program = await startProgram(options);
    this.programs.push(program);
    return program;
  }

  /** Waits until so many different events are in the log; gives how many of each subject there are, copies left out. */
  async countsBySubject(total: number): Promise<Record<string, number>> {
    const deadline = performance.now() + waitMsMax;
    for (;;) {
      const subjects = new Map((await this.ingest.events()).map((event) => [`${event.source} ${event.id}`, event.subject]));
      if (subjects.size >= total) return Object.fromEntries(Map.groupBy(subjects.values(), (subject) => subject).entries().map(([subject, { length }]) => [subject, length]));
      if (performance.now() > deadline) throw new Error(`${subjects.size} of ${total} events came. The programs said: ${this.programs.map(({ said }) => said()).join('\n')}`);
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }

  async close(): Promise<void> {
    for (const program of this.programs.toReversed()) await program.stop();
    await this.ingest.close();
    this.service.close();
    this.service.closeAllConnections();
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** The log that can take nothing for a while. */
function failingAtFirst(log: EventLog, count: number): EventLog {
  let left = count;
  return logWithAppend(log, (name, records) => {
    if (left === 0) return log.append(name, records);
    left -= 1;
    return Promise.reject(new Fault({ code: 'log_overloaded', detail: 'Full.', retryable: true, retryAfterSeconds: 1 }));
  });
}
