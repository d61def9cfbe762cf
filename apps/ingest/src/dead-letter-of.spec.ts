import { describe, expect, it } from 'vitest';
import { deadLetterOf } from './dead-letter-of.js';

const letterOf = (payload: string, value: unknown = { id: 'e' }) =>
  deadLetterOf({ id: 'dl_1', organizationId: 'org_1', receivedAt: '2026-11-01T10:00:00.000000Z', refusal: { index: 0, id: null, code: 'too_large', detail: '', errors: [] }, received: { value }, payload });

describe('deadLetterOf', () => {
  // 65,536 bytes are 32,768 of two, 21,845 of three and one more, 16,384 of four.
  it.each([
    ['x'.repeat(65_536), 65_536], ['x'.repeat(65_537), 65_536], ['é'.repeat(32_768), 32_768], [`x${'é'.repeat(32_768)}`, 32_768], ['€'.repeat(21_846), 21_845], [`x${'😀'.repeat(16_384)}`, 1 + 2 * 16_383], ['é'.repeat(100_000), 32_768],
  ])('keeps 64 KiB of what was sent and cuts no character (%#)', (payload, length) => {
    const kept = letterOf(payload).payload;
    expect(kept).toHaveLength(length);
    expect(payload.startsWith(kept)).toBe(true);
  });

  it.each([[{ id: 'e' }, 'default'], [{ source: null }, 'default'], [{ source: 'gw' }, 'gw'], [{ source: 5 }, null], [{ source: '\0' }, null], [[], null], [null, null], ['x', null]])('knows the source of %j', (value, source) => {
    expect(letterOf('x', value).event_source).toBe(source);
  });
});
