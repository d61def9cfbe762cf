import { connect, type Socket } from 'node:net';
import { once } from 'node:events';

// Sends requests that were made beforehand, over sockets of its own: the load must cost little beside what it loads.

const headEnd = '\r\n\r\n';
const answerTimeoutMs = 120_000;

export interface RequestParts {
  readonly path: string;
  readonly key: string;
  readonly body: string;
  readonly type?: string;
}

/** A whole POST as it goes over the wire. */
export function postRequest({ path, key, body, type = 'application/json' }: RequestParts): Buffer {
  const head = [
    `POST ${path} HTTP/1.1`, 'Host: 127.0.0.1', `Authorization: Bearer ${key}`, `Content-Type: ${type}`, `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  return Buffer.from(`${head.join('\r\n')}${headEnd}${body}`);
}

/** A whole GET as it goes over the wire. */
export function getRequest({ path, key }: Pick<RequestParts, 'path' | 'key'>): Buffer {
  return Buffer.from(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${key}${headEnd}`);
}

export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
}

/** Keeps its connections open from one round to the next. Loopback only. */
export class HttpLoad {
  private readonly connections: readonly Connection[];

  private constructor(connections: readonly Connection[]) {
    this.connections = connections;
  }

  static async open(options: { readonly port: number; readonly connections: number }): Promise<HttpLoad> {
    const sockets = Array.from({ length: options.connections }, () => connect({ host: '127.0.0.1', port: options.port, noDelay: true }));
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    return new HttpLoad(sockets.map((socket) => new Connection(socket)));
  }

  /** Sends each request once, one at a time per connection. Throws at the first answer that is not the expected one. */
  async sendAll(requests: readonly Buffer[], expected: HttpAnswer | ((answer: HttpAnswer) => boolean)): Promise<void> {
    const isExpected = typeof expected === 'function' ? expected : ({ status, body }: HttpAnswer): boolean => status === expected.status && body === expected.body;
    let next = 0;
    const work = async (connection: Connection): Promise<void> => {
      while (next < requests.length) {
        const request = requests[next] as Buffer;
        next += 1;
        const answer = await connection.send(request);
        if (isExpected(answer)) continue;
        next = requests.length;
        throw new Error(`A request was answered with ${answer.status} ${answer.body.slice(0, 500)}.`);
      }
    };
    await Promise.all(this.connections.map(work));
  }

  /** The same connections as loads of their own, for work that goes its own pace on each. */
  perConnection(): HttpLoad[] {
    return this.connections.map((connection) => new HttpLoad([connection]));
  }

  close(): void {
    for (const connection of this.connections) connection.close();
  }
}

/** One request at a time. Reads answers that give their length, as those with a JSON body do. */
class Connection {
  private received = '';
  private waiting: { readonly resolve: (answer: HttpAnswer) => void; readonly reject: (error: Error) => void } | null = null;

  private readonly socket: Socket;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => this.take(text));
    socket.on('error', (error) => this.fail(error));
    socket.on('close', () => this.fail(new Error('The server closed a connection.')));
    socket.setTimeout(answerTimeoutMs, () => this.fail(new Error(`There was no answer for ${answerTimeoutMs} ms.`)));
  }

  send(request: Buffer): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      this.waiting = { resolve, reject };
      this.socket.write(request);
    });
  }

  close(): void {
    this.waiting = null;
    this.socket.destroy();
  }

  private take(text: string): void {
    this.received += text;
    const end = this.received.indexOf(headEnd);
    if (end < 0) return;
    const head = this.received.slice(0, end);
    const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
    const total = end + headEnd.length + length;
    if (this.received.length < total) return;
    const body = this.received.slice(end + headEnd.length, total);
    this.received = this.received.slice(total);
    const { waiting } = this;
    this.waiting = null;
    waiting?.resolve({ status: Number(head.slice(9, 12)), body });
  }

  private fail(error: Error): void {
    this.waiting?.reject(error);
    this.waiting = null;
  }
}
