import { describe, expect, it } from 'vitest';
import { correctEvents, type CorrectableEvent, type Correction } from './correct-events.js';

// Goal: which corrections are an event's own, and which of them counts. Method: one identity, positions as minutes, a window of an hour.

const hour = 3_600;
const at = (position: number): string => `2026-11-01T${String(Math.floor(position / 60)).padStart(2, '0')}:${String(position % 60).padStart(2, '0')}:00.000000Z`;
const event = (position: number, time = '2026-10-01T00:00:00.000000Z'): CorrectableEvent => ({ position: BigInt(position), receivedAt: at(position), time });
const amendment = (position: number, sealedBefore: string | null = null): Correction => ({ kind: 'amendment', position: BigInt(position), receivedAt: at(position), sealedBefore });
const voided = (position: number): Correction => ({ ...amendment(position), kind: 'void' });

/** `event: decisive correction, amendment whose data it has`, by their positions. */
function corrected(events: readonly CorrectableEvent[], corrections: readonly Correction[]): string[] {
  return correctEvents(events, corrections, hour).map((each) => `${each.event.position}: ${each.decisive.kind} ${each.decisive.position}, ${each.amendment?.position ?? '-'}`);
}

describe('correctEvents', () => {
  it.each<[string, CorrectableEvent[], Correction[], string[]]>([
    ['nothing without corrections', [event(1)], [], []],
    ['nothing without an event', [], [voided(1)], []],
    ['the last amendment counts', [event(1)], [amendment(2), amendment(3)], ['1: amendment 3, 3']],
    ['a void wins over the amendments before it, and keeps their data', [event(1)], [amendment(2), voided(3)], ['1: void 3, 2']],
    ['a void wins over the amendments after it', [event(1)], [voided(2), amendment(3)], ['1: void 2, -']],
    ['the first void decides', [event(1)], [voided(5), voided(2), amendment(4)], ['1: void 2, -']],
    ['in whatever order they are given', [event(1)], [amendment(3), amendment(2)], ['1: amendment 3, 3']],
    ['one that comes before its event waits for it', [event(5)], [amendment(2)], ['5: amendment 2, 2']],
    ['together with those that come after it', [event(5)], [amendment(2), amendment(6)], ['5: amendment 6, 6']],
    ['it waits until the window’s end', [event(62)], [voided(2)], ['62: void 2, -']],
    ['and no longer', [event(63)], [voided(2)], []],
    ['one after an event never waits, however old the event is', [event(1), event(301)], [voided(300)], ['1: void 300, -']],
    ['each of two events has its own', [event(1), event(100)], [voided(50), amendment(101)], ['1: void 50, -', '100: amendment 101, 101']],
    ['what waited belongs to the first of two events', [event(10), event(20)], [voided(1)], ['10: void 1, -']],
    ['an event in a sealed hour stays', [event(1, '2026-10-01T00:59:59.999999Z')], [amendment(2, '2026-10-01T01:00:00.000000Z')], []],
    ['one at the seal’s edge does not', [event(1, '2026-10-01T01:00:00.000000Z')], [amendment(2, '2026-10-01T01:00:00.000000Z')], ['1: amendment 2, 2']],
    ['what is too late for a sealed event does not reach the next one', [event(1), event(300, '2026-11-01T00:00:00.000000Z')], [amendment(299, '2026-10-15T00:00:00.000000Z')], []],
  ])('%s', (_, events, corrections, expected) => {
    expect(corrected(events, corrections)).toEqual(expected);
  });
});
