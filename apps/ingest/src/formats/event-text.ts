import { canonicalData, isJsonObject } from '#domain';

/** An event that a format made, as JSON that can be posted again with all its digits; null where it is none or too large for one. */
export function eventText(event: unknown): string | null {
  if (!isJsonObject(event)) return null;
  const canonical = canonicalData(event);
  return canonical.ok ? canonical.text : null;
}
