/** The names that lead from `data` to a value, outermost first; never empty. */
export type DataPath = readonly string[];

export type ParsedDataPath = { readonly ok: true; readonly path: DataPath } | { readonly ok: false; readonly detail: string };

const pathLengthMax = 500;
/** As deep as data may be nested. */
const pathDepthMax = 10;
const step = /\.([\p{L}\p{N}_-]+)|\[\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')\s*\]/uy;

/** Reads `$.route`, `$.user.id` or `$["odd name"].x`. Elements of arrays can't be named. */
export function parseDataPath(text: string): ParsedDataPath {
  if (text.length > pathLengthMax) return { ok: false, detail: `A path has at most ${pathLengthMax} characters.` };
  if (!text.startsWith('$')) return { ok: false, detail: 'A path begins with $, such as $.bytes.' };
  const path: string[] = [];
  let at = 1;
  while (at < text.length) {
    step.lastIndex = at;
    const match = step.exec(text);
    const name = match === null ? null : (match[1] ?? unquoted(match[2] ?? ''));
    if (match === null || name === null || name === '') {
      return { ok: false, detail: `At character ${at + 1} of the path a name is expected, as in $.bytes or $["odd name"].` };
    }
    path.push(name);
    at += match[0].length;
  }
  if (path.length === 0) return { ok: false, detail: 'A path names a member of data, such as $.bytes.' };
  if (path.length > pathDepthMax) return { ok: false, detail: `A path goes at most ${pathDepthMax} levels deep.` };
  return { ok: true, path };
}

/** The text of a quoted name; null where an escape is none of JSON's. */
export function unquoted(quoted: string): string | null {
  const inner = quoted.slice(1, -1);
  // JSON knows no \' and wants " escaped, whatever quotes stand around.
  const json = inner.replace(/\\.|"/gs, (found) => (found === "\\'" ? "'" : found === '"' ? '\\"' : found));
  try {
    const text: unknown = JSON.parse(`"${json}"`);
    return typeof text === 'string' ? text : null;
  } catch {
    return null;
  }
}
