import { describe, expect, it } from 'vitest';
import type { CorrectionKind } from '../correct-events.js';
import { checkCorrection, reasonLengthMax } from './check-correction.js';
import { ExactNumber } from './exact-json.js';

function faultsOf(input: unknown, kind: CorrectionKind): string[] {
  const checked = checkCorrection(input, kind);
  return checked.ok ? [] : checked.faults.map((fault) => `${fault.code} ${fault.pointer}`);
}

describe('checkCorrection', () => {
  it.each<[CorrectionKind, unknown, unknown]>([
    ['void', { id: 'e' }, { id: 'e', source: 'default', data: null, reason: null }],
    ['void', { id: 'e', source: 'gw', data: [1], reason: 'test traffic', time: 'never' }, { id: 'e', source: 'gw', data: null, reason: 'test traffic' }],
    ['amendment', { id: 'e', source: null, data: { b: 1, a: new ExactNumber('1e400') }, reason: null }, { id: 'e', source: 'default', data: '{"a":1e400,"b":1}', reason: null }],
    ['amendment', { id: 'e', data: {}, reason: 'x'.repeat(reasonLengthMax) }, { id: 'e', source: 'default', data: '{}', reason: 'x'.repeat(reasonLengthMax) }],
  ])('takes a whole %s', (kind, input, correction) => {
    expect(checkCorrection(input, kind)).toEqual({ ok: true, correction });
  });

  it.each<[CorrectionKind, unknown, string[]]>([
    ['void', null, ['invalid_type ']],
    ['void', ['e'], ['invalid_type ']],
    ['void', {}, ['missing_field /id']],
    ['void', { id: '', source: 5, reason: 5 }, ['invalid_string /id', 'invalid_type /source', 'invalid_type /reason']],
    ['void', { id: 'é'.repeat(129), source: '\0', reason: '\ud800' }, ['too_long /id', 'invalid_string /source', 'invalid_string /reason']],
    ['void', { id: 'e', reason: 'x'.repeat(reasonLengthMax + 1) }, ['too_long /reason']],
    ['amendment', {}, ['missing_field /id', 'missing_field /data']],
    ['amendment', { id: 'e', data: null }, ['missing_field /data']],
    ['amendment', { id: 'e', data: [1] }, ['invalid_type /data']],
    ['amendment', { id: 'e', data: { a: 'x'.repeat(65_536) } }, ['too_large /data']],
  ])('names every fault of a %s: %j', (kind, input, faults) => {
    expect(faultsOf(input, kind)).toEqual(faults);
  });
});
