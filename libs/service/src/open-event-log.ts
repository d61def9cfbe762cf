import { appRoles, type AppRole } from '#persistence';
import { openPostgresEventLog, systemClock, type EventLog, type Logger } from '#platform';

export interface EventLogChoice {
  readonly role: AppRole;
  readonly databaseUrl: string;
  readonly logger: Logger;
}

/** The event log with what keeps it in shape. */
export interface MaintainedLog extends EventLog {
  /** Makes room for the coming days and lets go of old ones. To be called at start and a few times a day. */
  maintain(): Promise<unknown>;
}

/** The event log of one app. The only place that knows which one there is. */
export function openEventLog({ role, databaseUrl, logger }: EventLogChoice): MaintainedLog {
  return openPostgresEventLog({
    connectionString: withRole(databaseUrl, appRoles[role]),
    clock: systemClock,
    applicationName: `tollway-${role}-log`,
    onError: (error, where) => logger.error({ err: error, ...where }, 'A batch of the log could not be handled; it comes again.'),
  });
}

/** The same database with sessions that start in the role. */
function withRole(url: string, role: string): string {
  const address = new URL(url);
  address.searchParams.set('options', `-c role=${role}`);
  return address.toString().replace(/\+/g, '%20');
}
