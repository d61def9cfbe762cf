/** What a form body or a query says once its brackets are read: text at the leaves, as nothing in a form has a type. */
export type FormValue = string | FormValue[] | FormObject;
export interface FormObject {
  [name: string]: FormValue;
}

const pairsMax = 20_000;
const depthMax = 8;

/** Reads `lines[0][metadata][a]=b` as Stripe does: numbers in brackets are places in a list, `[]` is the next place, anything else is a name. */
export function parseForm(text: string): FormObject {
  const root: FormObject = emptyObject();
  const pairs = [...new URLSearchParams(text)];
  if (pairs.length > pairsMax) throw new RangeError('Too many parameters.');
  for (const [key, value] of pairs) put(root, { path: pathOf(key), value });
  return listsIn(root) as FormObject;
}

function pathOf(key: string): string[] {
  const head = key.split('[', 1)[0] ?? '';
  const rest = [...key.slice(head.length).matchAll(/\[([^\]]*)\]/g)].map((match) => match[1] ?? '');
  const path = [head, ...rest];
  if (path.length > depthMax) throw new RangeError('Too deep.');
  return path;
}

function put(root: FormObject, pair: { path: string[]; value: string }): void {
  let at = root;
  for (const [index, name] of pair.path.entries()) {
    const key = name === '' ? Object.keys(at).length.toString() : name;
    if (index === pair.path.length - 1) {
      at[key] = pair.value;
      return;
    }
    const next = at[key];
    if (next === undefined || typeof next === 'string') at[key] = emptyObject();
    at = at[key] as FormObject;
  }
}

/** Without a prototype, so that a parameter called `__proto__` is only a name. */
function emptyObject(): FormObject {
  return Object.create(null) as FormObject;
}

function listsIn(value: FormValue): FormValue {
  if (typeof value === 'string' || Array.isArray(value)) return value;
  const names = Object.keys(value);
  if (names.length > 0 && names.every((name) => /^\d+$/.test(name))) {
    return names.sort((a, b) => Number(a) - Number(b)).map((name) => listsIn(value[name] ?? ''));
  }
  for (const name of names) value[name] = listsIn(value[name] ?? '');
  return value;
}
