import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startKafkaBroker } from '#platform';
import type { KafkaBroker } from '#platform';
import { afterAll } from 'vitest';
import { kafkaJarsDir } from './kafka-jars.js';
import { serviceAddress } from './service-address.js';

/** A broker of one's own, to be killed and started again on the same port with the same data. */
export interface OwnKafkaBroker {
  readonly address: string;
  pid(): number;
  kill(signal: NodeJS.Signals): void;
  /** Starts it again after a kill; the data of before is there. */
  restart(): Promise<void>;
}

/** host:port of the run's shared broker, or those that KAFKA_BROKERS names. Topics are shared: give them names of their own. */
export async function kafkaBrokers(): Promise<readonly string[]> {
  const given = process.env['KAFKA_BROKERS'] ?? '';
  return (given === '' ? await serviceAddress('kafka') : given).split(',');
}

/** For the top of a spec file that disturbs its broker: brokers of its own, ended and removed after its last test. */
export function useOwnKafka(): { startOwnBroker: () => Promise<OwnKafkaBroker> } {
  const undo: (() => Promise<void>)[] = [];
  afterAll(async () => {
    for (const each of undo.splice(0)) await each();
  });
  const startOwnBroker = async (): Promise<OwnKafkaBroker> => {
    const dataDir = mkdtempSync(join(tmpdir(), 'tollway-kafka-'));
    let broker: KafkaBroker = await startKafkaBroker({ jarsDir: kafkaJarsDir, dataDir });
    const { address, port } = broker;
    undo.push(async () => {
      try {
        process.kill(broker.pid, 'SIGCONT'); // A frozen one could not end.
      } catch {
        // A test has killed it and not started it again.
      }
      await broker.stop();
      rmSync(dataDir, { recursive: true, force: true });
    });
    return {
      address,
      pid: () => broker.pid,
      kill: (signal) => void process.kill(broker.pid, signal),
      restart: async () => {
        await broker.ended;
        broker = await startKafkaBroker({ jarsDir: kafkaJarsDir, dataDir, port });
      },
    };
  };
  return { startOwnBroker };
}
