/** States what the domain relies on. A failure is a bug: it ends the unit of work and is never turned into a refusal. */
export function assert(condition: boolean, sentence: string): asserts condition {
  if (!condition) throw new DomainAssertionFailed(sentence);
}

export class DomainAssertionFailed extends Error {
  constructor(sentence: string) {
    super(sentence);
    this.name = 'DomainAssertionFailed';
  }
}
