/** One side of a comparison. Only `run` is timed. */
export interface Side {
  /** Makes what the next run needs. */
  prepare?(): Promise<void>;
  /** Does one round's work and gives the number of units done. */
  run(): Promise<number>;
  /** What the last run computed. Both sides of a round must give the same text. */
  answer(): Promise<string>;
  /** User and system time so far, in seconds, of all processes that do this side's work. */
  cpuSeconds(): number;
}

export interface Sides {
  readonly ours: Side;
  readonly floor: Side;
}

export interface Sample {
  readonly units: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
}

/** One round of both sides, taken right after each other. */
export interface Pair {
  readonly ours: Sample;
  readonly floor: Sample;
}

export interface RoundOptions {
  readonly rounds: number;
  readonly warmUps: number;
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number;
}

/**
 * Runs ours, floor, ours, floor, …: what else the machine does meets both sides alike. Warm-up rounds are checked too, but
 * not kept. Throws where the two sides did not compute the same.
 */
export async function alternate({ ours, floor }: Sides, options: RoundOptions): Promise<Pair[]> {
  const now = options.now ?? (() => performance.now());
  const pairs: Pair[] = [];
  for (let round = 1; round <= options.warmUps + options.rounds; round += 1) {
    const pair = { ours: await sampleOf(ours, now), floor: await sampleOf(floor, now) };
    await refuseOtherAnswer({ ours, floor }, pair, round);
    if (round > options.warmUps) pairs.push(pair);
  }
  return pairs;
}

/** One run of one side, made ready before. */
export async function sampleOf(side: Side, now: () => number = () => performance.now()): Promise<Sample> {
  await side.prepare?.();
  const cpuBefore = side.cpuSeconds();
  const startedAt = now();
  const units = await side.run();
  const seconds = (now() - startedAt) / 1_000;
  return { units, seconds, cpuSeconds: side.cpuSeconds() - cpuBefore };
}

async function refuseOtherAnswer({ ours, floor }: Sides, pair: Pair, round: number): Promise<void> {
  if (pair.ours.units !== pair.floor.units) {
    throw new Error(`Round ${round} compares different work: ${pair.ours.units} units against ${pair.floor.units}.`);
  }
  const [our, their] = [await ours.answer(), await floor.answer()];
  if (our !== their) throw new Error(`Round ${round} gave two answers: ${our.slice(0, 500)} and ${their.slice(0, 500)}.`);
}
