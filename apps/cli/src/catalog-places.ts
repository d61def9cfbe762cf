import { isAlias, isMap, isNode, isScalar, isSeq, type Document } from 'yaml';

/** Where in the text a value stands, or the nearest around it that does: what is missing has no place of its own. Null in an empty document. */
export function placeIn(document: Document, path: readonly PropertyKey[]): number | null {
  let node: unknown = document.contents;
  let place = isNode(node) ? (node.range?.[0] ?? null) : null;
  for (const part of path) {
    const at: unknown = isAlias(node) ? node.resolve(document) : node;
    if (isSeq(at)) node = at.items[Number(part)];
    else if (isMap(at)) {
      const pair = at.items.find(({ key }) => isScalar(key) && key.value === part);
      if (pair === undefined) return place;
      if (isScalar(pair.key)) place = pair.key.range?.[0] ?? place;
      node = pair.value;
      continue;
    } else return place;
    if (!isNode(node)) return place;
    place = node.range?.[0] ?? place;
  }
  return place;
}
