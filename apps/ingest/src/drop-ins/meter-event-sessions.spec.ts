import { describe, expect, it } from 'vitest';
import type { Clock } from '#platform';
import { MeterEventSessions } from './meter-event-sessions.js';

const secret = 'a secret of at least 32 characters';
const at = (instant: string, of = secret) => new MeterEventSessions(of, { now: () => Temporal.Instant.from(instant) } as Clock);

describe('MeterEventSessions', () => {
  const { token, id, createdAt, expiresAt } = at('2026-11-01T10:00:00Z').start('tw_test_key');

  it('gives a token for a quarter of an hour that does not show the key', () => {
    expect([createdAt.toString(), expiresAt.toString()]).toEqual(['2026-11-01T10:00:00Z', '2026-11-01T10:15:00Z']);
    expect(id).toMatch(/^mes_[\da-f]{24}$/);
    expect(token).toMatch(/^tw_session_[\w-]+$/);
    expect(Buffer.from(token.slice('tw_session_'.length), 'base64url').toString('latin1')).not.toContain('tw_test');
  });

  it.each<[string, object]>([
    ['2026-11-01T10:00:00Z', { ok: true, credential: 'tw_test_key' }],
    ['2026-11-01T10:14:59.999Z', { ok: true, credential: 'tw_test_key' }],
    ['2026-11-01T10:15:00Z', { ok: false, code: 'expired' }],
  ])('opens it in another process at %s', (now, opened) => {
    expect(at(now).open(token)).toEqual(opened);
  });

  it.each([
    '', 'tw_test_key', 'tw_session_', 'tw_session_AAAA', token.slice(0, -4), `${token}AAAA`, token.replace(/.$/, (last) => (last === 'A' ? 'g' : 'A')), token.replace('tw_session_', 'tw_session_A'),
  ])('knows no other: %s', (other) => {
    expect(at('2026-11-01T10:00:00Z').open(other)).toEqual({ ok: false, code: 'unknown' });
  });

  it('does not open under another secret', () => {
    expect(at('2026-11-01T10:00:00Z', 'another secret of at least 32 chars').open(token)).toEqual({ ok: false, code: 'unknown' });
  });
});
