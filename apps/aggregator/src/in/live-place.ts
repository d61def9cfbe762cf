import type { LivePlace } from '#persistence';

const form = /^\d{1,5}-\d{1,19}(?:\.\d{1,5}-\d{1,19}){0,255}$/;

/** The id of a message: partition and position, of every partition. */
export function encodePlace(place: LivePlace): string {
  return [...place].sort(([a], [b]) => a - b).map(([partition, position]) => `${partition}-${position}`).join('.');
}

/** Null for what this never made. */
export function decodePlace(text: string): LivePlace | null {
  if (!form.test(text)) return null;
  return new Map(text.split('.').map((part) => {
    const [partition = '0', position = '0'] = part.split('-');
    return [Number(partition), BigInt(position)] as const;
  }));
}
