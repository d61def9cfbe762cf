/**
 * Lets all who ask while something is being read share the next reading, which begins after they asked: so nobody is
 * answered by what was read before the question, and of many questions at a time two at most are read.
 */
export class JointReads<T> {
  private current: { readonly running: Promise<T>; next: Promise<T> | null } | null = null;

  constructor(private readonly start: () => Promise<T>) {}

  read(): Promise<T> {
    const { current } = this;
    if (current === null) return this.begin();
    current.next ??= current.running.then(() => undefined, () => undefined).then(() => this.begin());
    return current.next;
  }

  get isReading(): boolean {
    return this.current !== null;
  }

  private begin(): Promise<T> {
    const running = this.start();
    const read = { running, next: null };
    this.current = read;
    const forget = (): void => {
      if (this.current === read && read.next === null) this.current = null;
    };
    running.then(forget, forget);
    return running;
  }
}
