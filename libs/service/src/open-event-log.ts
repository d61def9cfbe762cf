import { appRoles, type AppRole } from '#persistence';
import { openKafkaEventLog, openPostgresEventLog, systemClock, type EventLog, type Logger } from '#platform';

export interface EventLogChoice {
  readonly role: AppRole;
  readonly databaseUrl: string;
  /** Where they are named, the log is on Kafka. */
  readonly kafkaBrokers: readonly string[] | undefined;
  readonly logger: Logger;
  /** How new topics are kept on Kafka; one copy, if not given. */
  readonly replicationFactor?: number | undefined;
}

/** The event log with what keeps it in shape. */
export interface MaintainedLog extends EventLog {
  /** Makes room for the coming days and lets go of old ones. To be called at start and a few times a day; where the log sees to it itself, nothing happens. */
  maintain(): Promise<unknown>;
}

/** The event log of one app. The only place that knows which one there is. */
export function openEventLog({ role, databaseUrl, kafkaBrokers, logger, replicationFactor = 1 }: EventLogChoice): MaintainedLog {
  const onError = (error: unknown, where: object): void => logger.error({ err: error, ...where }, 'A batch of the log could not be handled; it comes again.');
  if (kafkaBrokers === undefined) {
    return openPostgresEventLog({ connectionString: withRole({ url: databaseUrl, role: appRoles[role] }), clock: systemClock, applicationName: `tollway-${role}-log`, onError });
  }
  const topics = { replicationFactor, minInSyncReplicas: Math.max(1, replicationFactor - 1) };
  const log = openKafkaEventLog({ brokers: [...kafkaBrokers], clientId: `tollway-${role}`, clock: systemClock, topics, onError });
  return Object.assign(log, { maintain: () => Promise.resolve() });
}

/** The same database with sessions that start in the role. */
function withRole({ url, role }: { url: string; role: string }): string {
  const address = new URL(url);
  address.searchParams.set('options', `-c role=${role}`);
  return address.toString().replace(/\+/g, '%20');
}
