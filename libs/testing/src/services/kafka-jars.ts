import { join } from 'node:path';

/** Where infra/kafka/fetch.sh puts the jars of the broker. */
export const kafkaJarsDir = join(import.meta.dirname, '../../../../.cache/kafka');
