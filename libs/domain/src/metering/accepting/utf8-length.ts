/** Whether the text has more than `sizeMax` bytes in UTF-8; a lone surrogate counts as three. */
export function isLongerInUtf8(text: string, sizeMax: number): boolean {
  if (text.length > sizeMax) return true;
  if (text.length * 3 <= sizeMax) return false;
  let size = text.length;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code < 0x80) continue;
    // A pair of surrogates is two units and four bytes: one byte more for each of them. A lone one becomes U+FFFD.
    size += code < 0x800 || (isPaired(text, at)) ? 1 : 2;
  }
  return size > sizeMax;
}

function isPaired(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  if (code < 0xd800 || code > 0xdfff) return false;
  const other = text.charCodeAt(code < 0xdc00 ? at + 1 : at - 1);
  return code < 0xdc00 ? other >= 0xdc00 && other <= 0xdfff : other >= 0xd800 && other <= 0xdbff;
}
