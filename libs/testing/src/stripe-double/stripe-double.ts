import { systemClock } from '#platform';
import type { Clock } from '#platform';

import { DoubleError } from './double-error.js';
import { DoubleState } from './double-state.js';
import type { EventRow } from './double-state.js';
import { parseForm } from './form-encoding.js';
import type { FormObject } from './form-encoding.js';
import { listen } from './http-front.js';
import type { DoubleReply, DoubleRequest, Reaction } from './http-front.js';
import { IdempotencyKeys } from './idempotency.js';
import type { Answer } from './idempotency.js';
import { settle } from './invoices.js';
import { Params } from './params.js';
import { RateLimit } from './rate-limit.js';
import { findRoute } from './routes.js';
import { SchemaMirror } from './schema-mirror.js';
import type { SchemaFault } from './schema-mirror.js';
import { ScriptedOutcomes } from './scripted-outcomes.js';
import type { Script } from './scripted-outcomes.js';
import { signWebhook, WebhookSender } from './webhook-sender.js';
import type { SignedWebhook, WebhookEndpoint } from './webhook-sender.js';

export interface StripeDoubleOptions {
  readonly clock?: Clock;
  /** Default `sk_test_double`. */
  readonly apiKey?: string;
  /** Calls a second before 429; default without bound. */
  readonly perSecondMax?: number;
  /** The test card that every new customer has; default none. */
  readonly cardOfNewCustomers?: string;
  /** Where events are sent as they happen; default nowhere. */
  readonly webhook?: WebhookEndpoint;
  /** Origin of a stripe-mock that sees a copy of every request; default none. */
  readonly schemaMirrorUrl?: string;
}

/** One request as it came, in order. `status` is null while it runs, and stays so where it got no answer. */
export interface JournalEntry {
  readonly method: string;
  readonly path: string;
  readonly params: FormObject;
  readonly headers: Readonly<Record<string, string>>;
  readonly idempotencyKey: string | null;
  status: number | null;
  replayed: boolean;
}

/** Stripe's invoicing API with a memory, for the official SDK: same requests, same shapes, same rules of state, keys and limits. */
export class StripeDouble {
  readonly state: DoubleState;
  readonly journal: JournalEntry[] = [];
  readonly apiKey: string;
  url = '';
  private readonly clock: Clock;
  private readonly keys: IdempotencyKeys;
  private readonly scripts = new ScriptedOutcomes();
  private readonly limit: RateLimit | null;
  private readonly mirror: SchemaMirror | null;
  private readonly sender: WebhookSender | null;
  private held: (() => void)[] = [];
  private stop: () => Promise<void> = () => Promise.resolve();

  private constructor(options: StripeDoubleOptions) {
    this.clock = options.clock ?? systemClock;
    this.apiKey = options.apiKey ?? 'sk_test_double';
    this.keys = new IdempotencyKeys(this.clock);
    this.limit = options.perSecondMax === undefined ? null : new RateLimit({ perSecondMax: options.perSecondMax, clock: this.clock });
    this.mirror = options.schemaMirrorUrl === undefined ? null : new SchemaMirror(options.schemaMirrorUrl);
    this.sender = options.webhook === undefined ? null : new WebhookSender(options.webhook, this.clock);
    this.state = new DoubleState(this.clock, options.cardOfNewCustomers ?? null, (event) => this.sender?.enqueue(event));
  }

  static async start(options: StripeDoubleOptions = {}): Promise<StripeDouble> {
    const double = new StripeDouble(options);
    const { url, close } = await listen((request) => double.answer(request));
    double.url = url;
    double.stop = close;
    return double;
  }

  async close(): Promise<void> {
    await this.sender?.idle();
    await this.stop();
  }

  script(script: Script): void {
    this.scripts.add(script);
  }

  clearScripts(): void {
    this.scripts.clear();
  }

  /** How many scripted outcomes still wait for their call. */
  get scriptsWaiting(): number {
    return this.scripts.waiting;
  }

  /** Lets the held calls run to their end, in the order in which they came. */
  releaseHeld(): void {
    for (const finish of this.held.splice(0)) finish();
  }

  get schemaFaults(): readonly SchemaFault[] {
    return this.mirror?.faults ?? [];
  }

  get schemaChecked(): number {
    return this.mirror?.checked ?? 0;
  }

  /** The bank confirms a payment that was being processed. */
  confirmProcessing(invoiceId: string): void {
    const invoice = this.state.invoices.get(invoiceId);
    if (invoice?.processing === true) settle(this.state, invoice, [invoice.amountDue]);
  }

  /** An event as it would be sent now, to be delivered by hand: late, twice or out of order. */
  signed(event: EventRow, secret: string): SignedWebhook {
    return signWebhook(event, { secret, clock: this.clock });
  }

  webhooksIdle(): Promise<void> {
    return this.sender?.idle() ?? Promise.resolve();
  }

  private async answer(request: DoubleRequest): Promise<Reaction> {
    const sent = request.method === 'POST' ? request.body : request.query;
    const idempotencyKey = request.method === 'POST' ? (request.headers['idempotency-key'] ?? null) : null;
    const entry: JournalEntry = { method: request.method, path: request.path, params: parseForm(sent), headers: request.headers, idempotencyKey, status: null, replayed: false };
    this.journal.push(entry);
    await this.mirror?.check({ method: request.method, path: request.query === '' ? request.path : `${request.path}?${request.query}`, body: request.body });
    const script = this.scripts.next(request.method, request.path);
    const reaction = this.react(entry, script);
    if (typeof reaction === 'object') entry.status = reaction.status;
    return reaction;
  }

  private react(entry: JournalEntry, script: Script | null): Reaction {
    const scripted: Answer = scriptedFailure(script);
    switch (script?.outcome) {
      case undefined:
        return this.run(entry, null);
      case 'error_before':
      case 'status':
        return scripted;
      case 'timeout_before':
        return 'silent';
      case 'cut_before':
        return 'cut';
      case 'error_stored':
        return this.run(entry, () => scripted);
      case 'error_after':
        return this.run(entry, (execute) => {
          execute();
          return scripted;
        });
      case 'timeout_after':
        this.run(entry, null);
        return 'silent';
      case 'cut_after':
        this.run(entry, null);
        return 'cut';
      case 'held':
        this.hold(entry);
        return 'cut';
    }
  }

  /** Key first, then the call. `instead` may stand between the call and what is answered and kept. */
  private run(entry: JournalEntry, instead: ((execute: () => Answer) => Answer) | null): DoubleReply {
    const begun = this.begin(entry);
    if ('status' in begun) return begun;
    const answer = instead === null ? begun.execute() : instead(begun.execute);
    return begun.finish(answer);
  }

  private hold(entry: JournalEntry): void {
    const begun = this.begin(entry);
    if (!('status' in begun)) this.held.push(() => begun.finish(begun.execute()));
  }

  private begin(entry: JournalEntry): DoubleReply | { execute: () => Answer; finish: (answer: Answer) => DoubleReply } {
    const key = entry.idempotencyKey;
    try {
      this.checkKey(entry);
      this.limit?.count();
      const kept = key === null ? null : this.keys.begin(key, `${entry.method} ${entry.path} ${JSON.stringify(entry.params)}`);
      if (kept !== null) {
        entry.replayed = true;
        return { ...kept, headers: { 'idempotent-replayed': 'true', 'idempotency-key': key ?? '' } };
      }
    } catch (error) {
      return failureOf(error);
    }
    let keepFailure = true;
    const execute = (): Answer => {
      try {
        const { handle, id } = findRoute(entry.method, entry.path);
        return { status: 200, body: handle({ state: this.state, id, params: new Params(entry.params) }) };
      } catch (error) {
        keepFailure = error instanceof DoubleError && error.keptUnderKey;
        return failureOf(error);
      }
    };
    const finish = (answer: Answer): DoubleReply => {
      if (key !== null && keepFailure) this.keys.keep(key, answer);
      else if (key !== null) this.keys.release(key);
      return answer;
    };
    return { execute, finish };
  }

  private checkKey(entry: JournalEntry): void {
    const given = entry.headers['authorization']?.replace(/^Bearer /, '');
    if (given === this.apiKey) return;
    throw new DoubleError({ status: 401, message: given === undefined ? 'You did not provide an API key.' : 'Invalid API Key provided.' });
  }
}

function scriptedFailure(script: Script | null): Answer {
  const status = script?.status ?? 500;
  const type = status === 409 ? 'idempotency_error' : status >= 500 ? 'api_error' : 'invalid_request_error';
  const body = { error: { type, ...(script?.code === undefined ? {} : { code: script.code }), message: `Scripted ${script?.outcome ?? ''}.` } };
  return { status, body };
}

function failureOf(error: unknown): Answer {
  if (error instanceof DoubleError) return { status: error.status, body: error.body };
  throw error;
}
