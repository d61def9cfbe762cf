const depthMax = 64;

/**
 * The paths of all texts, names of members included, that hold U+0000, which Postgres keeps in no text, or half of a
 * surrogate pair, which is no character and would come back as another one.
 */
export function unreadableTexts(value: unknown, path: readonly PropertyKey[] = []): PropertyKey[][] {
  if (typeof value === 'string') return isReadable(value) ? [] : [[...path]];
  if (typeof value !== 'object' || value === null || path.length >= depthMax) return [];
  return Object.entries(value).flatMap(([name, item]) => {
    const at = [...path, name];
    return isReadable(name) ? unreadableTexts(item, at) : [at];
  });
}

function isReadable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\u0000');
}
