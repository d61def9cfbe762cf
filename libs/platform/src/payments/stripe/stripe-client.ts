import Stripe from 'stripe';

import { assert } from '../../errors/assert.js';

export interface StripeClientOptions {
  readonly apiKey: string;
  /** Where Stripe's API is, as an origin; null for Stripe itself. */
  readonly apiBase: string | null;
  /** How long one call may take before its outcome counts as unknown. */
  readonly timeoutMs: number;
}

/** The official SDK with everything switched off that would call again behind our back. The API version is the one that this SDK is made for. */
export function openStripeClient(options: StripeClientOptions): Stripe {
  return new Stripe(options.apiKey, {
    ...addressOf(options.apiBase),
    httpClient: withoutSilentRetry(Stripe.createNodeHttpClient()),
    maxNetworkRetries: 0,
    telemetry: false,
    timeout: options.timeoutMs,
    appInfo: { name: 'Tollway' },
  });
}

function addressOf(apiBase: string | null): { host: string; port: number; protocol: 'http' | 'https' } | Record<string, never> {
  if (apiBase === null) return {};
  const url = new URL(apiBase);
  assert(url.protocol === 'http:' || url.protocol === 'https:', 'The API base is an http or https address.');
  const protocol = url.protocol === 'http:' ? 'http' : 'https';
  const port = url.port === '' ? { http: 80, https: 443 }[protocol] : Number.parseInt(url.port, 10);
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port, protocol };
}

type HttpClient = ReturnType<typeof Stripe.createNodeHttpClient>;

/**
 * The SDK sends a call a second time when the connection was cut, even with no retries allowed, and knows that case by the error's code.
 * A cut connection may hide an effect, so what follows must be a read of ours: the code is moved out of the SDK's sight.
 */
function withoutSilentRetry(client: HttpClient): HttpClient {
  const makeRequest = client.makeRequest.bind(client);
  client.makeRequest = async (...request: Parameters<HttpClient['makeRequest']>) => {
    try {
      return await makeRequest(...request);
    } catch (error) {
      if (error instanceof Error && 'code' in error && typeof error.code === 'string' && Stripe.HttpClient.CONNECTION_CLOSED_ERROR_CODES.includes(error.code)) {
        throw Object.assign(new Error(`The connection to Stripe was cut: ${error.code}.`), { code: 'CONNECTION_CUT' });
      }
      throw error;
    }
  };
  return client;
}
