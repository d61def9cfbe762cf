import type { AddressInfo } from 'node:net';
import fastify from 'fastify';
import { Kafka, logLevel } from 'kafkajs';
import { letQueuesRest } from '#platform';
import { serveParent } from './child-server.ts';
import { bareTopic, fromEnvironment } from './ingest-setting.ts';

// What is left of a batch on Kafka when nothing is checked: parse the body, produce what stands in it by one request, acknowledged by
// all replicas as ours is.

letQueuesRest(); // Else it pays for timers that ours does without.
const producer = new Kafka({ brokers: [fromEnvironment('BENCH_KAFKA_BROKER')], clientId: 'bench-bare', logLevel: logLevel.NOTHING })
  .producer({ allowAutoTopicCreation: false, createPartitioner: () => ({ message }) => message.partition ?? 0 });
await producer.connect();

const app = fastify({ bodyLimit: 16 * 1_024 * 1_024 });
app.removeAllContentTypeParsers();
app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) => done(null, body));
app.post('/bare', async (request, reply) => {
  const rows = JSON.parse(request.body as string) as readonly (readonly [partition: number, key: string, value: string])[];
  await producer.send({ topic: bareTopic, acks: -1, messages: rows.map(([partition, key, value]) => ({ partition, key, value })) });
  return reply.status(202).send({ accepted: rows.length, rejected: [] });
});
await app.listen({ port: 0, host: '127.0.0.1' });
const { port } = app.server.address() as AddressInfo;
serveParent(port, async () => {
  await app.close();
  await producer.disconnect();
});
