import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareInstants, microsOfText, scanInstant, secondsOfText, textOfInstant, toMicroInstant } from './micro-instant.js';

describe('scanInstant', () => {
  it.each([
    ['2026-11-01T10:00:00Z', '2026-11-01T10:00:00.000000Z'],
    ['2026-11-01T10:00:00.123Z', '2026-11-01T10:00:00.123000Z'],
    ['2026-11-01t10:00:00.5z', '2026-11-01T10:00:00.500000Z'],
    ['2026-11-01T10:00:00.1234567Z', '2026-11-01T10:00:00.123456Z'], // Cut, never rounded.
    ['2026-11-01T10:00:00.9999999Z', '2026-11-01T10:00:00.999999Z'],
    ['2026-11-01T10:00:00.000001000000000000000000000000Z', '2026-11-01T10:00:00.000001Z'],
    ['2026-11-01T10:00:00+02:00', '2026-11-01T08:00:00.000000Z'],
    ['2026-11-01T23:30:00.25-01:00', '2026-11-02T00:30:00.250000Z'],
    ['2026-01-01T00:15:00+00:30', '2025-12-31T23:45:00.000000Z'],
    ['2026-11-01T10:00:00-00:00', '2026-11-01T10:00:00.000000Z'],
    ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000000Z'],
    ['2000-02-29T12:00:00+14:00', '2000-02-28T22:00:00.000000Z'],
    ['1999-12-31T23:59:59.999999Z', '1999-12-31T23:59:59.999999Z'],
    ['0000-01-01T00:00:00Z', '0000-01-01T00:00:00.000000Z'],
    ['9999-12-31T23:59:59Z', '9999-12-31T23:59:59.000000Z'],
  ])('takes %s', (text, utc) => {
    expect(scanInstant(text)?.text).toBe(utc);
  });

  it.each([
    '', '2026-11-01', '2026-11-01T10:00:00', '2026-11-01T10:00Z', '2026-11-01 10:00:00Z', '2026-11-01T10:00:00.Z', '2026-11-01T10:00:00,5Z',
    '2026-11-01T10:00:60Z', '2026-11-01T24:00:00Z', '2026-11-01T10:60:00Z', '2026-02-29T10:00:00Z', '2100-02-29T10:00:00Z', '2026-04-31T10:00:00Z',
    '2026-13-01T10:00:00Z', '2026-00-10T10:00:00Z', '2026-10-00T10:00:00Z', '2026-11-01T10:00:00+0200', '2026-11-01T10:00:00+02', '2026-11-01T10:00:00+24:00',
    '2026-11-01T10:00:00+02:60', '2026-11-01T10:00:00Zjunk', ' 2026-11-01T10:00:00Z', '2026-11-01T10:00:00Z ', '+002026-11-01T10:00:00Z', '20a6-11-01T10:00:00Z',
    '2026-11-01T1a:00:00Z', '2026-11-01T10:00:00.12e4Z', '2026-W44-7T10:00:00Z', '1793527200', '2026-11-01T10:00:00[UTC]', '２026-11-01T10:00:00Z',
    `2026-11-01T10:00:00.${'1'.repeat(300)}Z`,
  ])('refuses %s', (text) => {
    expect(scanInstant(text)).toBeNull();
  });

  // Goal: the hand-written calendar. Method: random instants and offsets against Temporal's own.
  it('agrees with Temporal', () => {
    const instants = fc.bigInt({ min: -62_135_596_800_000_000n, max: 253_402_214_399_999_999n });
    const offsets = fc.integer({ min: -23 * 60 - 59, max: 23 * 60 + 59 });
    fc.assert(
      fc.property(instants, offsets, (epochMicroseconds, offsetMinutes) => {
        const instant = new Temporal.Instant(epochMicroseconds * 1_000n);
        const offset = `${offsetMinutes < 0 ? '-' : '+'}${String(Math.trunc(Math.abs(offsetMinutes) / 60)).padStart(2, '0')}:${String(Math.abs(offsetMinutes) % 60).padStart(2, '0')}`;
        const expected = instant.toString({ fractionalSecondDigits: 6 });
        expect(textOfInstant(toMicroInstant(instant))).toBe(expected);
        expect(secondsOfText(expected)).toBe(Math.floor(instant.epochMilliseconds / 1_000));
        if (epochMicroseconds >= 0n && epochMicroseconds < 9_000_000_000_000_000n) expect(microsOfText(expected)).toBe(Number(epochMicroseconds));
        const local = instant.toZonedDateTimeISO(offset).toPlainDateTime();
        fc.pre(local.year >= 0 && local.year <= 9999);
        expect(scanInstant(`${local.toString({ fractionalSecondDigits: 6 })}${offset}`)?.text).toBe(expected);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('secondsOfText', () => {
  it.each([
    '', '2026-11-01T10:00:00Z', '2026-11-01T10:00:00.00000Z', '2026-11-01T10:00:00.0000000Z', '2026-11-01t10:00:00.000000Z', '2026-11-01T10:00:00.000000z', '2026-11-01T10:00:00.00000aZ', '2026-02-29T10:00:00.000000Z',
    '2026-11-01T24:00:00.000000Z', '2026-11-01T10:60:00.000000Z', '2026-11-01T10:00:60.000000Z', '2026-13-01T10:00:00.000000Z', '2026-11-01 10:00:00.000000Z', '2026-11-01T10:00:00,000000Z', '20a6-11-01T10:00:00.000000Z', '2026-11-01T1a:00:00.000000Z',
  ])('refuses %s, which is not as instants are written', (text) => {
    expect(secondsOfText(text)).toBeNull();
  });
});

describe('compareInstants', () => {
  it('orders by seconds, then microseconds', () => {
    const instants = ['1969-12-31T23:59:59.999999Z', '1970-01-01T00:00:00Z', '1970-01-01T00:00:00.000001Z', '1970-01-01T00:00:01Z'].map((text) => scanInstant(text)!);
    for (const [left, a] of instants.entries()) {
      for (const [right, b] of instants.entries()) expect(Math.sign(compareInstants(a, b))).toBe(Math.sign(left - right));
    }
  });
});
