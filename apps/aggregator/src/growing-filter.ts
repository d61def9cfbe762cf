/** Bits per identity and probes per look: about one false alarm in 300. */
const bitsPerHash = 12;
const probes = 8;
const firstBits = 2 ** 20;
/** 256 MB; a filter that is full there takes more, with more false alarms. */
const bitsMax = 2 ** 31;

export interface HashHalves {
  readonly low: number;
  readonly high: number;
}

interface Segment {
  readonly words: Uint32Array;
  readonly bits: number;
  readonly capacity: number;
  count: number;
}

/**
 * Says of 64-bit hashes whether they may have been added: never a false no. It grows by segments of doubling size, so
 * memory stays within twice what its hashes need, which is 1.5 bytes each.
 */
export class GrowingFilter {
  private readonly segments: Segment[] = [newSegment(firstBits)];

  /** What is added from now on goes into one segment, if it is no more than `expected`: the fewer there are, the less a look costs. */
  makeRoom(expected: number): void {
    let bits = firstBits;
    while (bits < bitsMax && bits < expected * bitsPerHash) bits *= 2;
    if (bits > firstBits) this.segments.push(newSegment(bits));
  }

  add(hash: bigint): void {
    this.addHalves(halves(hash));
  }

  /** Of a hash that comes as two halves of 32 bits. */
  addHalves({ low, high }: HashHalves): void {
    let segment = this.segments.at(-1) as Segment; // There is always one.
    if (segment.count >= segment.capacity && segment.bits < bitsMax) {
      segment = newSegment(segment.bits * 2);
      this.segments.push(segment);
    }
    const step = high | 1;
    for (let probe = 0, at = low; probe < probes; probe += 1, at = (at + step) >>> 0) {
      const bit = at & (segment.bits - 1);
      const word = bit >>> 5;
      segment.words[word] = (segment.words[word] ?? 0) | (1 << (bit & 31));
    }
    segment.count += 1;
  }

  mayHave(hash: bigint): boolean {
    const parts = halves(hash);
    return this.segments.some((segment) => isSet(segment, parts));
  }
}

/** The places of a hash follow from its two halves; an odd step visits distinct places. */
function isSet(segment: Segment, { low, high }: HashHalves): boolean {
  const step = high | 1;
  for (let probe = 0, at = low; probe < probes; probe += 1, at = (at + step) >>> 0) {
    const bit = at & (segment.bits - 1);
    if (((segment.words[bit >>> 5] ?? 0) & (1 << (bit & 31))) === 0) return false;
  }
  return true;
}

const whole = new BigUint64Array(1);
const words = new Uint32Array(whole.buffer);

/** Arithmetic of bigints would make some for each hash. */
function halves(hash: bigint): HashHalves {
  whole[0] = hash;
  return { low: words[0] as number, high: words[1] as number };
}

function newSegment(bits: number): Segment {
  return { words: new Uint32Array(bits / 32), bits, capacity: Math.floor(bits / bitsPerHash), count: 0 };
}
