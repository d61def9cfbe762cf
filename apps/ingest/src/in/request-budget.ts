import { Fault } from '#platform';

/** Bounds the bytes of bodies that are held at once by all requests, from their first byte to their answer. */
export class RequestBudget {
  private taken = 0;

  constructor(private readonly bytesMax: number) {}

  lease(): BodyLease {
    return new BodyLease((bytes) => this.take(bytes));
  }

  private take(bytes: number): boolean {
    if (bytes > 0 && this.taken + bytes > this.bytesMax) return false;
    this.taken += bytes;
    return true;
  }
}

/** One request's share. */
export class BodyLease {
  private held = 0;

  constructor(private readonly take: (bytes: number) => boolean) {}

  /** Throws a retryable Fault where the bytes do not fit beside those of the other requests. */
  grow(bytes: number): void {
    if (!this.take(bytes)) {
      throw new Fault({ code: 'ingest_overloaded', detail: 'Too many bytes of requests are being taken in at once.', retryable: true });
    }
    this.held += bytes;
  }

  release(): void {
    this.take(-this.held);
    this.held = 0;
  }
}
