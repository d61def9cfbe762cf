export interface BenchArguments {
  readonly names: readonly string[];
  readonly isShort: boolean;
  readonly isJson: boolean;
  /** After so long no further bench is begun; without it, all of them are. */
  readonly withinSeconds: number | null;
}

export type ArgumentsOutcome = { readonly ok: true; readonly value: BenchArguments } | { readonly ok: false; readonly detail: string };

const withinFlag = /^--within=(\d{1,6})$/;

/** `[<name>…] [--short] [--json] [--within=<seconds>]`; without a name, all benches in their order. */
export function parseArguments(words: readonly string[], known: readonly string[]): ArgumentsOutcome {
  const flags = words.filter((word) => word.startsWith('-'));
  const unknownFlag = flags.find((flag) => flag !== '--short' && flag !== '--json' && !withinFlag.test(flag));
  if (unknownFlag !== undefined) return { ok: false, detail: `There is no option ${unknownFlag}; there are --short, --json and --within=<seconds>.` };
  const wanted = words.filter((word) => !word.startsWith('-'));
  const unknownName = wanted.find((name) => !known.includes(name));
  if (unknownName !== undefined) return { ok: false, detail: `There is no bench ${unknownName}; there are ${known.join(', ')}.` };
  const names = wanted.length === 0 ? known : known.filter((name) => wanted.includes(name));
  const [within] = flags.flatMap((flag) => withinFlag.exec(flag)?.[1] ?? []);
  return { ok: true, value: { names, isShort: flags.includes('--short'), isJson: flags.includes('--json'), withinSeconds: within === undefined ? null : Number(within) } };
}
