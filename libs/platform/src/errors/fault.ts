/** The outside world failed: a store, a broker, a payment provider. Adapters throw it; the edge answers 503 when it is retryable. */
export class Fault extends Error {
  readonly code: string;
  readonly retryable: boolean;
  /** What a caller should wait before it tries again, in seconds. */
  readonly retryAfterSeconds: number;

  constructor(options: { code: string; detail: string; retryable: boolean; retryAfterSeconds?: number; cause?: unknown }) {
    super(options.detail, { cause: options.cause });
    this.name = 'Fault';
    this.code = options.code;
    this.retryable = options.retryable;
    this.retryAfterSeconds = options.retryAfterSeconds ?? 1;
  }
}
