import { createHmac } from 'node:crypto';

import type { Clock } from '#platform';

import type { EventRow } from './double-state.js';
import { showEvent } from './events.js';

export interface WebhookEndpoint {
  readonly url: string;
  readonly secret: string;
}

export interface SignedWebhook {
  readonly body: string;
  readonly signature: string;
}

/** Signs as Stripe does: HMAC-SHA256 over the time, a point and the body. */
export function signWebhook(event: EventRow, options: { secret: string; clock: Clock }): SignedWebhook {
  const body = JSON.stringify(showEvent(event), null, 2);
  const at = Math.floor(options.clock.now().epochMilliseconds / 1000);
  const digest = createHmac('sha256', options.secret).update(`${at}.${body}`).digest('hex');
  return { body, signature: `t=${at},v1=${digest}` };
}

/** Sends events to the endpoint one after the other. A refused one is tried again at once, a few times, then left to `events.list`. */
export class WebhookSender {
  private tail: Promise<void> = Promise.resolve();
  readonly answers: { readonly eventId: string; readonly status: number }[] = [];

  constructor(
    private readonly endpoint: WebhookEndpoint,
    private readonly clock: Clock,
  ) {}

  enqueue(event: EventRow): void {
    this.tail = this.tail.then(() => this.deliver(event));
  }

  /** Resolves when everything queued so far was sent. */
  idle(): Promise<void> {
    return this.tail;
  }

  private async deliver(event: EventRow): Promise<void> {
    const triesMax = 3;
    for (let tries = 0; tries < triesMax; tries += 1) {
      const status = await this.send(event);
      this.answers.push({ eventId: event.id, status });
      if (status >= 200 && status < 300) return;
    }
  }

  /** The answer's status; 0 where there was none. */
  async send(event: EventRow): Promise<number> {
    const { body, signature } = signWebhook(event, { secret: this.endpoint.secret, clock: this.clock });
    try {
      const response = await fetch(this.endpoint.url, { method: 'POST', headers: { 'content-type': 'application/json; charset=utf-8', 'stripe-signature': signature }, body });
      await response.body?.cancel();
      return response.status;
    } catch {
      return 0;
    }
  }
}
