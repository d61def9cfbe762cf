import { compareBytewise } from '../../rating/compare-bytewise.js';
import { isJsonObject } from './canonical-data.js';
import { canonicalFloat } from './canonical-number.js';
import { ExactNumber } from './exact-json.js';

/** A member of a JSON object that was changed, added or taken away; values as JSON text, null where there is none. */
export interface ChangedMember {
  /** RFC 6901. */
  readonly pointer: string;
  readonly from: string | null;
  readonly to: string | null;
}

const changesMax = 100;
const textLengthMax = 1_000;

/**
 * What differs between two values of `parseExactNumbers`, in the order of names, objects compared member by member and
 * anything else as a whole. At most 100 changes are told, and of a long value its beginning as a string.
 */
export function changedMembers(before: unknown, after: unknown): ChangedMember[] {
  const changes: ChangedMember[] = [];
  collect({ before, after }, { pointer: '', changes });
  return changes.slice(0, changesMax);
}

function collect({ before, after }: { before: unknown; after: unknown }, into: { pointer: string; changes: ChangedMember[] }): void {
  if (isJsonObject(before) && isJsonObject(after)) {
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort(compareBytewise);
    for (const name of names) {
      if (into.changes.length >= changesMax) return;
      collect({ before: before[name], after: after[name] }, { pointer: `${into.pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`, changes: into.changes });
    }
    return;
  }
  const [from, to] = [textOf(before), textOf(after)];
  if (from !== to) into.changes.push({ pointer: into.pointer, from: shortened(from), to: shortened(to) });
}

function textOf(value: unknown): string | null {
  if (value === undefined) return null;
  if (value instanceof ExactNumber) return value.text ?? '"a number that is out of range"';
  if (typeof value === 'number') return canonicalFloat(value);
  if (Array.isArray(value)) return `[${value.map(textOf).join(',')}]`;
  if (!isJsonObject(value)) return JSON.stringify(value);
  return `{${Object.keys(value).sort(compareBytewise).map((name) => `${JSON.stringify(name)}:${textOf(value[name])}`).join(',')}}`;
}

function shortened(text: string | null): string | null {
  return text === null || text.length <= textLengthMax ? text : JSON.stringify(`${text.slice(0, textLengthMax).toWellFormed()}…`);
}
