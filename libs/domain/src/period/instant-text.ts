const earliest = '2000-01-01T00:00:00Z';
const latest = '2200-01-01T00:00:00Z';
const rfc3339 = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:[0-5]\d(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})$/;

/** Whether a text is an RFC 3339 instant from 2000 on and before 2200, of any offset: far from where Temporal's own range ends, so that days and hours around it exist. */
export function isInstantText(text: string): boolean {
  if (!rfc3339.test(text)) return false;
  try {
    const instant = Temporal.Instant.from(text);
    return Temporal.Instant.compare(instant, earliest) >= 0 && Temporal.Instant.compare(instant, latest) < 0;
  } catch {
    return false;
  }
}
