import type { Clock } from '../../clock/clock.js';

export interface ConsumerSettings {
  readonly clock: Clock;
  /** After so long without a sign of life a member's partitions go to others. The broker's bounds hold, by default 6 s to 30 min. */
  readonly sessionTimeoutMs: number;
  readonly heartbeatIntervalMs: number;
  /** The first wait after a failure; it doubles up to `retryDelayMaxMs`. */
  readonly retryDelayMs: number;
  readonly retryDelayMaxMs: number;
  /** How many partitions of one subscription are handled at the same time. */
  readonly concurrencyMax: number;
  /** A batch ends before it grows above this; its first record comes whatever its size. */
  readonly batchBytesMax: number;
  readonly onError: (error: unknown, where: { readonly topic: string; readonly group: string; readonly partition?: number }) => void;
}
