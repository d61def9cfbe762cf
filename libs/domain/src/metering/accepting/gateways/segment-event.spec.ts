import { describe, expect, it } from 'vitest';
import { segmentEvent } from './segment-event.js';

const call = { type: 'track', event: 'Report Exported', userId: 'cus_42', anonymousId: 'a1', messageId: 'm1', timestamp: '2026-11-22T10:40:00.123Z', sentAt: '2026-11-22T10:40:05Z', properties: { pages: 7 }, context: { ip: '203.0.113.9' } };

describe('segmentEvent', () => {
  it('takes a track call by its event, with its properties', () => {
    expect(segmentEvent(call)).toEqual({ requestId: 'm1', type: 'Report Exported', subject: 'cus_42', time: '2026-11-22T10:40:00.123Z', data: { pages: 7 } });
  });

  it.each<[object, string | null]>([[{ userId: null, groupId: 'g' }, 'g'], [{ userId: '', context: { groupId: 'g' } }, 'g'], [{ userId: null }, 'a1'], [{ userId: 7 }, '7'], [{ userId: null, anonymousId: null }, null]])('with %j has the subject %s', (over, subject) => {
    expect(segmentEvent({ ...call, ...over }).subject).toBe(subject);
  });

  it('takes the call of a library that names no type as track, and others by their own', () => {
    expect(segmentEvent({ event: 'E' })).toEqual({ requestId: null, type: 'E', subject: null, time: undefined, data: {} });
    expect(segmentEvent({ ...call, type: 'page' }).type).toBe('page');
    expect(segmentEvent({ type: 'track' }).type).toBeNull();
  });

  it.each(['identify', 'group', 'alias'])('refuses %s, which reports no usage', (type) => {
    expect(segmentEvent({ ...call, type }).faults).toMatchObject([{ pointer: '/type', code: 'unknown_format' }]);
  });

  it('refuses properties that are no object', () => {
    expect(segmentEvent({ ...call, properties: [1] }).faults).toMatchObject([{ pointer: '/data', code: 'invalid_type' }]);
    expect(segmentEvent({ ...call, properties: null })).toMatchObject({ data: {} });
  });
});
