import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** One message of `text/event-stream`. A client that comes back sends the last id that it saw. */
export interface StreamMessage {
  readonly id: string;
  readonly event: string;
  /** JSON. */
  readonly data: string;
}

export interface EventStreamOptions {
  /** Null says that there is nothing for now: the stream looks after itself and asks on. Ends where the signal aborts. */
  readonly messages: (signal: AbortSignal) => AsyncGenerator<StreamMessage | null>;
  /** Whether the caller may still listen; asked every few seconds. */
  readonly isAllowed: () => Promise<boolean>;
  /** Aborts when the app shuts down. */
  readonly stopping: AbortSignal;
}

const heartbeatMs = 15_000;
const checkEveryMs = 5_000;
/** A reader that takes nothing for so long is let go: it comes back where it was. */
const slowReaderMs = 30_000;
const retryMs = 2_000;

type EndReason = 'unauthorized' | 'shutdown';

/**
 * Answers with server-sent events until the reader leaves, is no longer allowed, or the app shuts down. Nothing is asked
 * for while the reader has not taken what was sent, so what waits for a slow one is a message, not a queue.
 */
export async function sendEventStream({ request, reply }: { request: FastifyRequest; reply: FastifyReply }, options: EventStreamOptions): Promise<void> {
  const { raw } = reply.hijack();
  const left = new AbortController();
  raw.once('close', () => left.abort());
  const signal = AbortSignal.any([left.signal, options.stopping]);
  raw.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store, no-transform', 'x-accel-buffering': 'no', 'x-request-id': request.id,
    connection: 'close', // An app that shuts down would wait for a connection that is kept.
  });
  try {
    await write(raw, `retry: ${retryMs}\n\n`, signal);
    const reason = await sendMessages(raw, options, signal);
    if (reason !== null) raw.write(`event: end\ndata: ${JSON.stringify({ reason })}\n\n`);
  } finally {
    raw.end();
  }
}

/** Why it ended; null where the reader left. */
async function sendMessages(raw: ServerResponse, options: EventStreamOptions, signal: AbortSignal): Promise<EndReason | null> {
  let sentAt = performance.now();
  let checkedAt = sentAt;
  for await (const message of options.messages(signal)) {
    if (signal.aborted) break;
    const now = performance.now();
    if (message !== null || now - sentAt >= heartbeatMs) {
      await write(raw, message === null ? ': still here\n\n' : frameOf(message), signal);
      sentAt = now;
    }
    if (now - checkedAt < checkEveryMs) continue;
    if (!(await options.isAllowed())) return 'unauthorized';
    checkedAt = now;
  }
  return options.stopping.aborted ? 'shutdown' : null;
}

function frameOf({ id, event, data }: StreamMessage): string {
  return `id: ${id}\nevent: ${event}\ndata: ${data}\n\n`;
}

async function write(raw: ServerResponse, text: string, signal: AbortSignal): Promise<void> {
  if (signal.aborted || raw.write(text)) return;
  const patience = AbortSignal.any([signal, AbortSignal.timeout(slowReaderMs)]);
  await once(raw, 'drain', { signal: patience }).catch(() => {
    if (!signal.aborted) raw.destroy();
  });
}
