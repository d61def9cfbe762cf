import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { Fault } from '../errors/fault.js';
import { letQueuesRest } from '../event-log/kafka/resting-queues.js';
import { freePort } from './free-port.js';
import { waitUntil } from './wait-until.js';
import { startWatchedServer } from './watched-server.js';

export interface KafkaBrokerOptions {
  /** Holds the jars that infra/kafka/fetch.sh copies. */
  readonly jarsDir: string;
  /** The broker's data goes to its `kafka` folder; a folder of an earlier run is used on. */
  readonly dataDir: string;
  /** Where clients reach it on 127.0.0.1. A free one, if not given. */
  readonly port?: number;
  /** Java heap in MB. Default 512. */
  readonly heapMaxMb?: number;
}

export interface KafkaBroker {
  /** host:port, for clients. */
  readonly address: string;
  readonly port: number;
  readonly pid: number;
  /** Resolves when the broker has ended, asked to or not. */
  readonly ended: Promise<void>;
  /** Lets the broker write what it holds and end. */
  stop(): Promise<void>;
}

const formatTimeoutMs = 60_000;
const startTimeoutMs = 120_000;
const stopTimeoutMs = 20_000;
const saidCharactersMax = 2_000;

/**
 * Starts an Apache Kafka broker of our own, without ZooKeeper or containers: broker and controller in one Java process, one
 * replica of everything. For tests and for a cluster on one machine. Needs Java 17 in the PATH.
 */
export async function startKafkaBroker(options: KafkaBrokerOptions): Promise<KafkaBroker> {
  const folder = resolve(options.dataDir, 'kafka');
  mkdirSync(folder, { recursive: true });
  const port = options.port ?? (await freePort());
  const settingsFile = join(folder, 'server.properties');
  writeFileSync(settingsFile, settingsOf({ folder, port, controllerPort: await freePort() }));
  const java = { jarsDir: options.jarsDir, heapMaxMb: options.heapMaxMb ?? 512, folder };
  if (!existsSync(join(folder, 'data', 'meta.properties'))) await format(java, settingsFile);
  const server = await startWatchedServer({ command: javaCommand(java, ['kafka.Kafka', settingsFile]), log: join(folder, 'kafka.log') });
  // What was acknowledged is in the files, also where it has to be killed.
  const broker = { address: `127.0.0.1:${port}`, port, pid: server.pid, ended: server.ended, stop: () => server.stop(stopTimeoutMs) };
  if (await isReady(broker)) return broker;
  server.signal('SIGKILL');
  throw new Fault({ code: 'kafka_start_failed', detail: `Kafka did not start in ${folder}: ${server.said()}`, retryable: false });
}

/** One replica of the internal topics, few partitions, no waiting for more members: what one machine needs. */
function settingsOf({ folder, port, controllerPort }: { readonly folder: string; readonly port: number; readonly controllerPort: number }): string {
  const settings = {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'log.dirs': join(folder, 'data'),
    'auto.create.topics.enable': 'false',
    'offsets.topic.replication.factor': '1',
    'offsets.topic.num.partitions': '4',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'share.coordinator.state.topic.replication.factor': '1',
    'share.coordinator.state.topic.min.isr': '1',
    'group.initial.rebalance.delay.ms': '0',
    'log.cleaner.dedupe.buffer.size': '16777216',
    'num.network.threads': '2',
    'num.io.threads': '2',
  };
  return Object.entries(settings).map(([name, value]) => `${name}=${value}\n`).join('');
}

interface JavaOptions {
  readonly jarsDir: string;
  readonly heapMaxMb: number;
  readonly folder: string;
}

/** Made for a quick start and a small footprint: this is no broker for many clients. */
function javaCommand({ jarsDir, heapMaxMb }: JavaOptions, main: readonly string[]): string[] {
  return ['java', `-Xmx${heapMaxMb}m`, '-Xms64m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Djava.awt.headless=true', '-cp', join(jarsDir, '*'), ...main];
}

async function format(java: JavaOptions, settingsFile: string): Promise<void> {
  const id = randomBytes(16);
  id[0] = (id[0] ?? 0) & 0x7f; // One that begins with a hyphen would be taken for an option.
  const [command = '', ...args] = javaCommand(java, ['kafka.tools.StorageTool', 'format', '-t', id.toString('base64url'), '-c', settingsFile, '--ignore-formatted']);
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'], timeout: formatTimeoutMs });
  let complaint = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (complaint = (complaint + text).slice(-saidCharactersMax)));
  if ((await exitOf(child)) === 0) return;
  rmSync(join(java.folder, 'data'), { recursive: true, force: true });
  throw new Fault({ code: 'kafka_start_failed', detail: `Kafka's data folder in ${java.folder} could not be made: ${complaint.trim()}`, retryable: false });
}

async function isReady({ address, ended }: { readonly address: string; readonly ended: Promise<void> }): Promise<boolean> {
  let isOver = false;
  void ended.then(() => (isOver = true));
  const answers = async (): Promise<boolean> => {
    letQueuesRest();
    const admin = new Kafka({ brokers: [address], logLevel: logLevel.NOTHING, retry: { retries: 0 }, requestTimeout: 2_000 }).admin();
    try {
      await admin.connect();
      const { brokers, controller } = await admin.describeCluster();
      return brokers.length > 0 && controller !== null;
    } catch {
      return false;
    } finally {
      await admin.disconnect().catch(() => undefined);
    }
  };
  await waitUntil(async () => isOver || (await answers()), startTimeoutMs);
  return !isOver && (await answers());
}

function exitOf(child: ChildProcess): Promise<number | null> {
  return new Promise((done, fail) => {
    child.once('exit', done);
    child.once('error', (cause) => fail(new Fault({ code: 'kafka_start_failed', detail: `Java could not be run: ${cause.message}`, retryable: false, cause })));
  });
}
