import type { Reading } from './reading.ts';
import type { RoundOptions } from './rounds.ts';

export interface BenchOptions {
  /** Small sizes and few rounds: it shows that the bench works, its figures are rough. */
  readonly isShort: boolean;
  readonly rounds: RoundOptions;
  /** Tells whoever waits what is being done. */
  readonly say: (sentence: string) => void;
}

export interface Bench {
  readonly name: string;
  /** The first reading is the one that the bench is named for. */
  run(options: BenchOptions): Promise<readonly Reading[]>;
}
