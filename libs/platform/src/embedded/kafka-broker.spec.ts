import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, expect, it } from 'vitest';
import { describeWith, kafkaJarsDir } from '#testing';
import { startKafkaBroker } from './kafka-broker.js';

const dataDir = mkdtempSync(join(tmpdir(), 'tollway-kafka-'));
afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

describeWith('kafka-jars', 'startKafkaBroker', () => {
  it('keeps its data from one start to the next', { timeout: 60_000 }, async () => {
    const first = await startKafkaBroker({ jarsDir: kafkaJarsDir, dataDir });
    await withAdmin(first.address, (admin) => admin.createTopics({ topics: [{ topic: 'kept', numPartitions: 3 }] }));
    await first.stop();
    await first.ended;
    expect(isAlive(first.pid)).toBe(false);
    const second = await startKafkaBroker({ jarsDir: kafkaJarsDir, dataDir });
    expect(await withAdmin(second.address, (admin) => admin.listTopics())).toEqual(['kept']);
    await second.stop();
  });

  it('ends when the process that started it is killed', { timeout: 60_000 }, async () => {
    const preload = join(import.meta.dirname, 'run-from-source.ts');
    const script = `
      const { startKafkaBroker } = await import(${JSON.stringify(join(import.meta.dirname, 'kafka-broker.ts'))});
      const { pid } = await startKafkaBroker(${JSON.stringify({ jarsDir: kafkaJarsDir, dataDir })});
      process.stdout.write(String(pid));`;
    const starter = spawn(process.execPath, ['--import', preload, '--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'ignore'] });
    const pid = Number(await new Promise<string>((done) => starter.stdout.setEncoding('utf8').once('data', done)));
    expect(isAlive(pid)).toBe(true);
    starter.kill('SIGKILL');
    await expect.poll(() => isAlive(pid), { timeout: 10_000 }).toBe(false);
  });

  it('says what stands in the way where the jars are not there', async () => {
    const nowhere = mkdtempSync(join(tmpdir(), 'tollway-kafka-'));
    await expect(startKafkaBroker({ jarsDir: nowhere, dataDir: nowhere })).rejects.toMatchObject({ name: 'Fault', code: 'kafka_start_failed', retryable: false });
    rmSync(nowhere, { recursive: true });
  });
});

async function withAdmin<T>(address: string, work: (admin: ReturnType<Kafka['admin']>) => Promise<T>): Promise<T> {
  const admin = new Kafka({ brokers: [address], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  return work(admin).finally(() => admin.disconnect());
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
