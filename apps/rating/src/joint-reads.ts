/**
 * Lets all who ask for the same thing while it is being read share the next reading, which begins after they asked: so nobody is
 * answered by what was read before the question, and of many questions at a time two at most are read.
 */
export class JointReads<T> {
  private readonly reads = new Map<string, { readonly running: Promise<T>; next: Promise<T> | null }>();

  read(key: string, start: () => Promise<T>): Promise<T> {
    const current = this.reads.get(key);
    if (current === undefined) return this.start(key, start);
    current.next ??= current.running.then(() => undefined, () => undefined).then(() => this.start(key, start));
    return current.next;
  }

  isReading(key: string): boolean {
    return this.reads.has(key);
  }

  private start(key: string, start: () => Promise<T>): Promise<T> {
    const running = start();
    const read = { running, next: null };
    this.reads.set(key, read);
    const forget = (): void => {
      if (this.reads.get(key) === read && read.next === null) this.reads.delete(key);
    };
    running.then(forget, forget);
    return running;
  }
}
