export interface BenchArguments {
  readonly names: readonly string[];
  readonly isShort: boolean;
  readonly isJson: boolean;
}

export type ArgumentsOutcome = { readonly ok: true; readonly value: BenchArguments } | { readonly ok: false; readonly detail: string };

/** `[<name>…] [--short] [--json]`; without a name, all benches in their order. */
export function parseArguments(words: readonly string[], known: readonly string[]): ArgumentsOutcome {
  const flags = words.filter((word) => word.startsWith('-'));
  const unknownFlag = flags.find((flag) => flag !== '--short' && flag !== '--json');
  if (unknownFlag !== undefined) return { ok: false, detail: `There is no option ${unknownFlag}; there are --short and --json.` };
  const wanted = words.filter((word) => !word.startsWith('-'));
  const unknownName = wanted.find((name) => !known.includes(name));
  if (unknownName !== undefined) return { ok: false, detail: `There is no bench ${unknownName}; there are ${known.join(', ')}.` };
  const names = wanted.length === 0 ? known : known.filter((name) => wanted.includes(name));
  return { ok: true, value: { names, isShort: flags.includes('--short'), isJson: flags.includes('--json') } };
}
