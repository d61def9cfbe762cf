import { describe, expect, it } from 'vitest';
import { fromStoredGroup, toStoredGroup } from './group-values.js';

describe('stored groups', () => {
  it.each(['', 'eu', 'a\u0000b', '\u0000\u0000', '␛', '␛0', '␛␛0', 'a␛\u0000␛0b', '\\u0000'])('hold no U+0000 and give back %j', (value) => {
    const stored = toStoredGroup({ region: value });
    expect(stored['region']).not.toContain('\u0000');
    expect(fromStoredGroup(stored)).toEqual({ region: value });
  });
});
