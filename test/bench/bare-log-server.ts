import type { AddressInfo } from 'node:net';
import fastify from 'fastify';
import { usageEventKey, type UsageEventRecord } from '#contracts';
import { openPostgresEventLog, systemClock } from '#platform';
import { serveParent } from './child-server.ts';
import { bareTopic, fromEnvironment, usagePartitions } from './ingest-setting.ts';

// What is left of ingest when nothing is checked: parse the body, append its bytes to the same log in the same groups.

const log = openPostgresEventLog({ connectionString: fromEnvironment('BENCH_DATABASE_URL'), clock: systemClock });
await log.ensureTopic({ name: bareTopic, partitions: usagePartitions });

const app = fastify();
app.removeAllContentTypeParsers();
app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) => done(null, body));
app.post('/bare', async (request, reply) => {
  const value = request.body as string;
  const record = JSON.parse(value) as UsageEventRecord;
  await log.append(bareTopic, [{ key: usageEventKey(record), value }]);
  return reply.status(202).send({ accepted: 1, rejected: [] });
});
await app.listen({ port: 0, host: '127.0.0.1' });
const { port } = app.server.address() as AddressInfo;
serveParent(port, async () => {
  await app.close();
  await log.close();
});
