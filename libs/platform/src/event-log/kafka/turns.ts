/** Lets a bounded number of pieces of work run at the same time; the others wait in the order in which they came. */
export class Turns {
  private running = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(private readonly concurrencyMax: number) {}

  async take<T>(work: () => Promise<T>): Promise<T> {
    if (this.running >= this.concurrencyMax) await new Promise<void>((resolve) => this.waiting.push(resolve));
    else this.running += 1;
    try {
      return await work();
    } finally {
      // The turn is handed on, so that nobody who comes now gets in between.
      const next = this.waiting.shift();
      if (next === undefined) this.running -= 1;
      else next();
    }
  }
}
