import { BaseRpcContext, Server } from '@nestjs/microservices';
import type { CustomTransportStrategy } from '@nestjs/microservices';
import { isObservable, lastValueFrom } from 'rxjs';

import { assert } from '../errors/assert.js';
import type { EventLog, LogBatch, Subscription } from './event-log.js';

export interface LogServerOptions {
  readonly log: EventLog;
  readonly group: string;
  readonly batchSizeMax: number;
  /**
   * Where several groups live in one process: the handlers meant for this server are marked
   * `@EventPattern(topic, transportId)`. Without it the server takes every handler of the app.
   */
  readonly transportId?: symbol;
}

/**
 * Hands whole batches of the event log to Nest: the pattern of an `@EventPattern` is a topic, its payload a `LogBatch`.
 * The offset moves when the handler's promise resolves; when it rejects, the same records come again. `app.close()`
 * waits for the running batches and commits them, so stores are closed after it, in `onApplicationShutdown`.
 */
export class LogServer extends Server implements CustomTransportStrategy {
  /** Tells Nest to let the handler's failure through instead of logging and swallowing it. */
  override readonly propagatesEventHandlerErrors = true;
  private readonly subscriptions: Subscription[] = [];

  constructor(private readonly options: LogServerOptions) {
    super();
    if (options.transportId !== undefined) this.setTransportId(options.transportId);
  }

  /** Nest gives a callback; it hears of a failure through it, so that starting the app fails. */
  listen(callback: (error?: unknown) => void): void {
    this.subscribeAll().then(() => callback(), callback);
  }

  async close(): Promise<void> {
    await Promise.all(this.subscriptions.splice(0).map((subscription) => subscription.close()));
  }

  /** A log has no events of its own to listen to. */
  on(event: string): never {
    throw new Error(`The log server has no event '${event}'.`);
  }

  unwrap<T>(): T {
    return this.options.log as T;
  }

  private async subscribeAll(): Promise<void> {
    const { log, group, batchSizeMax } = this.options;
    assert(this.messageHandlers.size > 0, `Group '${group}' has no @EventPattern for this server.`);
    for (const [topic, handler] of this.messageHandlers) {
      assert(handler.isEventHandler === true, `The handler of topic '${topic}' must be an @EventPattern: nobody waits for an answer.`);
      this.subscriptions.push(await log.subscribe({ topic, group, batchSizeMax, handle: (batch) => this.handle(batch) }));
    }
  }

  private async handle(batch: LogBatch): Promise<void> {
    const handler = this.messageHandlers.get(batch.topic);
    assert(handler !== undefined, 'A batch comes from a topic that was subscribed to.');
    try {
      const result: unknown = await handler(batch, new BaseRpcContext([batch.topic, batch.partition]));
      if (isObservable(result)) await lastValueFrom(result, { defaultValue: undefined });
    } catch (cause) {
      // Nest's exception filter turns the error into a plain object, having logged it.
      throw cause instanceof Error ? cause : new Error(`The handler of topic '${batch.topic}' failed.`, { cause });
    }
  }
}
