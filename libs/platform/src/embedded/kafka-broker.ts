import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { Fault } from '../errors/fault.js';
import { waitUntil } from './wait-until.js';

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
 * Runs the command as a child and prints its process id. When the input ends, because whoever started this is gone, it kills
 * the command: a killed run leaves no broker behind.
 */
const watchedScript = `
exec 3<&0
"$@" </dev/null >>"$LOG" 2>&1 &
pid=$!
echo "$pid"
( read -r end <&3; kill -KILL "$pid" 2>/dev/null ) &
watcher=$!
wait "$pid"
code=$?
kill "$watcher" 2>/dev/null
exit $code`;

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
  const { child, pid } = await launch(java, settingsFile);
  const ended = exitOf(child).then(() => undefined);
  const broker = { address: `127.0.0.1:${port}`, port, pid, ended, stop: () => stop(child, { pid, ended }) };
  if (await isReady(broker)) return broker;
  signal(pid, 'SIGKILL');
  throw new Fault({ code: 'kafka_start_failed', detail: `Kafka did not start in ${folder}: ${said(folder)}`, retryable: false });
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

async function launch(java: JavaOptions, settingsFile: string): Promise<{ child: ChildProcess; pid: number }> {
  const child = spawn('/bin/sh', ['-c', watchedScript, 'sh', ...javaCommand(java, ['kafka.Kafka', settingsFile])], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: { ...process.env, LOG: join(java.folder, 'kafka.log') },
    detached: true, // Its own process group: Ctrl-C asks us to drain, and the broker must outlive that.
  });
  const line = await new Promise<string>((done, fail) => {
    child.once('error', fail);
    child.stdout?.setEncoding('utf8').once('data', done);
  });
  return { child, pid: Number.parseInt(line, 10) };
}

async function isReady({ address, ended }: { readonly address: string; readonly ended: Promise<void> }): Promise<boolean> {
  let isOver = false;
  void ended.then(() => (isOver = true));
  const answers = async (): Promise<boolean> => {
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

async function stop(child: ChildProcess, { pid, ended }: { readonly pid: number; readonly ended: Promise<void> }): Promise<void> {
  signal(pid, 'SIGTERM');
  const timer = setTimeout(() => signal(pid, 'SIGKILL'), stopTimeoutMs); // What was acknowledged is in the files, also then.
  await ended;
  clearTimeout(timer);
  child.stdin?.destroy();
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It is gone already.
  }
}

function exitOf(child: ChildProcess): Promise<number | null> {
  return new Promise((done, fail) => {
    child.once('exit', done);
    child.once('error', (cause) => fail(new Fault({ code: 'kafka_start_failed', detail: `Java could not be run: ${cause.message}`, retryable: false, cause })));
  });
}

function said(folder: string): string {
  try {
    return readFileSync(join(folder, 'kafka.log'), 'utf8').slice(-saidCharactersMax).trim();
  } catch {
    return 'it said nothing.';
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}
