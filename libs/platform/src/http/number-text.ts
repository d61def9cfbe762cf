const exponentMax = 400;

/** A JSON number's text in plain notation; as it stands where the exponent is beyond any bound, so that validation refuses it. */
export function canonicalNumberText(text: string): string {
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text);
  if (match === null) return text;
  const [, sign = '', whole = '', fraction = '', exponentText = '0'] = match;
  const exponent = Number.parseInt(exponentText, 10);
  if (Math.abs(exponent) > exponentMax) return text;
  const digits = whole + fraction;
  const point = whole.length + exponent;
  const padded = point <= 0 ? '0'.repeat(1 - point) + digits : digits.padEnd(point, '0');
  const at = Math.max(point, 1);
  const plainWhole = padded.slice(0, at).replace(/^0+(?=\d)/, '');
  const plainFraction = padded.slice(at).replace(/0+$/, '');
  const plain = plainFraction === '' ? plainWhole : `${plainWhole}.${plainFraction}`;
  return plain === '0' ? '0' : `${sign}${plain}`;
}
