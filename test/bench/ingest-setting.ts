/** What the ingest benches and their servers agree on. */
export const benchKey = 'tw_test_bench_0123456789abcdefghij';
export const serverSecret = 'bench-server-secret-0123456789abcdef';
/** As standalone has them. */
export const usagePartitions = 4;
/** As the cluster has them. */
export const usagePartitionsOnKafka = 8;
export const bareTopic = 'bench.bare';

export function fromEnvironment(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is missing: this file is started by a bench.`);
  return value;
}
