import { setTimeout as wait } from 'node:timers/promises';
import type { Bench } from '../bench.ts';
import { cpuSecondsOf, memoryBytesOf, processCountOf } from '../processes.ts';
import { figureReading } from '../reading.ts';
import { RunningProduct } from '../running-product.ts';
import { openFolder } from '../stores.ts';

// From the command to a ready product, on an empty data folder and again on the same one, and what it takes of memory and CPU when nothing
// is asked of it. With the demo data, as a newcomer starts it.

const rounds = { short: 1, long: 7 } as const;
const idleMs = { short: 4_000, long: 15_000 } as const;

export const start: Bench = {
  name: 'start',
  async run({ isShort, say }) {
    const [firstSeconds, secondSeconds, idleMegabytes, idleCpuPercent]: [number[], number[], number[], number[]] = [[], [], [], []];
    for (let round = 0; round < (isShort ? rounds.short : rounds.long); round += 1) {
      const folder = openFolder();
      try {
        firstSeconds.push(await startOnce(folder.path, async () => undefined));
        secondSeconds.push(
          await startOnce(folder.path, async (product) => {
            const milliseconds = isShort ? idleMs.short : idleMs.long;
            await wait(milliseconds);
            const cpuBefore = cpuSecondsOf([product.pid]);
            await wait(milliseconds);
            idleCpuPercent.push(((cpuSecondsOf([product.pid]) - cpuBefore) * 100_000) / milliseconds);
            idleMegabytes.push(memoryBytesOf([product.pid]) / 1_000_000);
            say(`${processCountOf([product.pid])} processes when idle`);
          }),
        );
      } finally {
        folder.remove();
      }
    }
    return [
      figureReading(secondSeconds, { name: 'start: second', unit: 's', goal: 'at most 8' }),
      figureReading(firstSeconds, { name: 'start: first', unit: 's', goal: 'at most 15' }),
      figureReading(idleMegabytes, { name: 'start: idle memory', unit: 'MB', goal: 'at most 900' }),
      // Right after the start it still has work left, so the short form would measure that.
      ...(isShort ? [] : [figureReading(idleCpuPercent, { name: 'start: idle CPU', unit: '% of a core', goal: '' })]),
    ];
  },
};

async function startOnce(dataDir: string, whenReady: (product: RunningProduct) => Promise<void>): Promise<number> {
  const startedAt = performance.now();
  const product = await RunningProduct.start({ dataDir, demo: 'on' });
  const seconds = (performance.now() - startedAt) / 1_000;
  try {
    await whenReady(product);
  } finally {
    await product.stop();
  }
  return seconds;
}
