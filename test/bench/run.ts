import { existsSync } from 'node:fs';
import { parseArguments, type BenchArguments } from './arguments.ts';
import type { Bench } from './bench.ts';
import { thisMachine } from './machine.ts';
import { jsonLineOf, tableOf, type BenchReport } from './report.ts';

// node test/bench/run.ts [<name>…] [--short] [--json] [--within=<seconds>]. Node strips the types itself; the libs come from dist, as in production.

const built = ['domain', 'contracts', 'platform', 'persistence'].map((lib) => `dist/libs/${lib}/src/index.js`);

/** In the order in which they run. Loaded one by one, since they import what may not be built. */
const benches: Readonly<Record<string, () => Promise<Bench>>> = {
  rating: async () => (await import('./benches/rating.ts')).rating,
  'ingest-batch': async () => (await import('./benches/ingest-batch.ts')).ingestBatch,
  'ingest-standalone': async () => (await import('./benches/ingest-standalone.ts')).ingestStandalone,
  'ingest-single': async () => (await import('./benches/ingest-single.ts')).ingestSingle,
  pipeline: async () => (await import('./benches/pipeline.ts')).pipeline,
  'pipeline-kafka': async () => (await import('./benches/pipeline.ts')).pipelineKafka,
  'second-aggregator': async () => (await import('./benches/second-aggregator.ts')).secondAggregator,
  freshness: async () => (await import('./benches/freshness.ts')).freshness,
  'freshness-kafka': async () => (await import('./benches/freshness.ts')).freshnessKafka,
  'usage-query': async () => (await import('./benches/usage-query.ts')).usageQuery,
  'customer-scan': async () => (await import('./benches/customer-scan.ts')).customerScan,
  'access-check': async () => (await import('./benches/access-check.ts')).accessCheck,
  'catch-up': async () => (await import('./benches/catch-up.ts')).catchUp,
  close: async () => (await import('./benches/close.ts')).close,
  start: async () => (await import('./benches/start.ts')).start,
};

const roundsOf = { short: { rounds: 3, warmUps: 1 }, long: { rounds: 7, warmUps: 1 } } as const;

async function main(): Promise<number> {
  const parsed = parseArguments(process.argv.slice(2), Object.keys(benches));
  if (!parsed.ok) {
    console.error(parsed.detail);
    return 2;
  }
  const missing = built.find((path) => !existsSync(path));
  if (missing !== undefined) {
    console.error(`There is no ${missing}: the benches measure what was built. Run "npm run build" in the root folder first.`);
    return 2;
  }
  const machine = thisMachine();
  const { reports, failed } = await runAll(parsed.value);
  console.log(tableOf(reports, machine));
  if (parsed.value.isJson) for (const report of reports) console.log(jsonLineOf(report, machine));
  return failed ? 1 : 0;
}

/** A bench that fails is told and does not keep the others from running. */
async function runAll({ names, isShort, withinSeconds }: BenchArguments): Promise<{ reports: BenchReport[]; failed: boolean }> {
  const reports: BenchReport[] = [];
  let failed = false;
  const allStartedAt = performance.now();
  for (const name of names) {
    if (withinSeconds !== null && performance.now() - allStartedAt > withinSeconds * 1_000) {
      console.error(`${name} is left out: ${withinSeconds} s are over.`);
      continue;
    }
    const startedAt = performance.now();
    const say = (sentence: string): void => console.error(`${name}: ${sentence}`);
    try {
      const bench = await benches[name]?.();
      if (bench === undefined) throw new RangeError(`There is no bench ${name}.`);
      reports.push({ bench: name, readings: await bench.run({ isShort, rounds: isShort ? roundsOf.short : roundsOf.long, say }) });
      say(`took ${((performance.now() - startedAt) / 1_000).toFixed(1)} s`);
    } catch (error) {
      failed = true;
      console.error(`${name} failed:`, error);
    }
  }
  return { reports, failed };
}

// Ends by way of the exit hooks, which take the servers along.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
process.exitCode = await main();
