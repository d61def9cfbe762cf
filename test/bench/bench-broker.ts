import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { startKafkaBroker, type KafkaBroker } from '#platform';
import { openFolder } from './stores.ts';

const jarsDir = resolve('.cache/kafka');

/** A broker of the bench's own, in a folder that is removed at the end. */
export interface BenchBroker {
  readonly address: string;
  readonly pid: number;
  close(): Promise<void>;
}

export async function openBroker(): Promise<BenchBroker> {
  if (!existsSync(jarsDir)) throw new Error('Kafka\'s jars are missing: run "sh infra/kafka/fetch.sh" once.');
  const folder = openFolder();
  const broker: KafkaBroker = await startKafkaBroker({ jarsDir, dataDir: folder.path }).catch((error: unknown) => {
    folder.remove();
    throw error;
  });
  return {
    address: broker.address,
    pid: broker.pid,
    close: async () => {
      await broker.stop();
      folder.remove();
    },
  };
}
