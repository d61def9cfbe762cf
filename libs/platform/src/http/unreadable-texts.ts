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

/**
 * The paths of members named "__proto__", outside of an event's `data`, which may hold any JSON. Schemas of records drop them in silence, so a
 * price's `when` would ask for less than it says.
 */
export function prototypeNames(value: unknown, path: readonly PropertyKey[] = []): PropertyKey[][] {
  if (typeof value !== 'object' || value === null || path.length >= depthMax) return [];
  return Object.entries(value).flatMap(([name, item]) => {
    if (name === '__proto__') return [[...path, name]];
    return name === 'data' ? [] : prototypeNames(item, [...path, name]);
  });
}
