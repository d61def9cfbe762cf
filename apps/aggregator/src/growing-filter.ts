/** Bits per identity and probes per look: about one false alarm in 300. */
const bitsPerHash = 12;
const probes = 8;
const firstBits = 2 ** 20;
/** 256 MB; a filter that is full there takes more, with more false alarms. */
const bitsMax = 2 ** 31;

interface Segment {
  readonly words: Uint32Array;
  readonly bits: number;
  readonly capacity: number;
  count: number;
}

/**
 * Says of 64-bit hashes whether they may have been added: never a false no. It grows by segments of doubling size, so
 * memory stays within twice what its hashes need: 1.5 bytes each, 300 MB for 100 million.
 */
export class GrowingFilter {
  private readonly segments: Segment[] = [newSegment(firstBits)];

  add(hash: bigint): void {
    let segment = this.segments.at(-1) as Segment; // There is always one.
    if (segment.count >= segment.capacity && segment.bits < bitsMax) {
      segment = newSegment(segment.bits * 2);
      this.segments.push(segment);
    }
    const { low, step } = halves(hash);
    for (let probe = 0, at = low; probe < probes; probe += 1, at = (at + step) >>> 0) {
      const bit = at & (segment.bits - 1);
      const word = bit >>> 5;
      segment.words[word] = (segment.words[word] ?? 0) | (1 << (bit & 31));
    }
    segment.count += 1;
  }

  mayHave(hash: bigint): boolean {
    const places = halves(hash);
    return this.segments.some((segment) => isSet(segment, places));
  }
}

function isSet(segment: Segment, { low, step }: { low: number; step: number }): boolean {
  for (let probe = 0, at = low; probe < probes; probe += 1, at = (at + step) >>> 0) {
    const bit = at & (segment.bits - 1);
    if (((segment.words[bit >>> 5] ?? 0) & (1 << (bit & 31))) === 0) return false;
  }
  return true;
}

const whole = new BigUint64Array(1);
const parts = new Uint32Array(whole.buffer);

/** The places of a hash follow from its two halves; an odd step visits distinct places. Arithmetic of bigints would make one for each. */
function halves(hash: bigint): { low: number; step: number } {
  whole[0] = hash;
  return { low: parts[0] as number, step: (parts[1] as number) | 1 };
}

function newSegment(bits: number): Segment {
  return { words: new Uint32Array(bits / 32), bits, capacity: Math.floor(bits / bitsPerHash), count: 0 };
}
