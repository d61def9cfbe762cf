import pg from 'pg';
import { DataSource, type EntityManager, type MixedList, type EntitySchema } from 'typeorm';
import { Fault } from '#platform';

/** The Postgres role of each app; it may write the tables that the app owns and read those that it was granted. */
export const appRoles = {
  ingest: 'tollway_ingest',
  aggregator: 'tollway_aggregator',
  rating: 'tollway_rating',
  invoicing: 'tollway_invoicing',
  billingApi: 'tollway_billing_api',
} as const;

export type AppRole = keyof typeof appRoles;

export interface DatabaseOptions {
  readonly url: string;
  readonly role: AppRole;
  readonly poolSizeMax: number;
  readonly entities?: MixedList<Function | string | EntitySchema>;
}

const timestamptzOid = 1184;
const timestampTextTypes = {
  // The driver would make a Date and cut microseconds; raw queries get the text that Temporal.Instant.from takes.
  getTypeParser: (oid: number, format?: 'text' | 'binary') =>
    oid === timestamptzOid && format !== 'binary' ? (text: string) => text : pg.types.getTypeParser(oid, format),
};

/**
 * One app's connections, all with the app's role. Rows of an organization are visible only inside `inOrganization`;
 * `acrossOrganizations` sees the worklists that the role was granted for all organizations, and nothing else.
 */
export class Database {
  private constructor(readonly dataSource: DataSource) {}

  static async open(options: DatabaseOptions): Promise<Database> {
    const dataSource = new DataSource({
      type: 'postgres',
      url: options.url,
      entities: options.entities ?? [],
      synchronize: false,
      poolSize: options.poolSizeMax,
      applicationName: `tollway-${options.role}`,
      extra: { options: `-c role=${appRoles[options.role]}`, types: timestampTextTypes },
    });
    await dataSource.initialize();
    return new Database(dataSource);
  }

  /** Runs `work` in a transaction that sees and writes one organization's rows only. */
  async inOrganization<T>(organizationId: string, work: (manager: EntityManager) => Promise<T>): Promise<T> {
    return this.transaction(async (manager) => {
      await manager.query(`select set_config('app.organization_id', $1, true)`, [organizationId]);
      return work(manager);
    });
  }

  /** Runs `work` in a transaction without an organization, for worklists and for what has no organization. */
  async acrossOrganizations<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    return this.transaction(work);
  }

  /** The same for a single statement, without a transaction around it: for what is looked at for every request. */
  async onceAcrossOrganizations<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    return orUnavailable(work(this.dataSource.manager));
  }

  private async transaction<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    return orUnavailable(this.dataSource.transaction(work));
  }

  async close(): Promise<void> {
    if (this.dataSource.isInitialized) await this.dataSource.destroy();
  }
}

async function orUnavailable<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (isConnectionLoss(error)) {
      throw new Fault({ code: 'database_unavailable', detail: 'The database can not be reached.', retryable: true, cause: error });
    }
    throw error;
  }
}

const connectionCodes = new Set(['ECONNREFUSED', 'ECONNRESET', 'ENOENT', 'EPIPE', 'ETIMEDOUT', '57P01', '57P02', '57P03', '08000', '08003', '08006', '53300']);

function isConnectionLoss(error: unknown): boolean {
  const code = (error as { code?: string; driverError?: { code?: string } } | null)?.driverError?.code ?? (error as { code?: string } | null)?.code;
  return code !== undefined && connectionCodes.has(code);
}

/** Whether a query failed because a row with these unique values is there already; `constraint` narrows it to one index. */
export function isUniqueViolation(error: unknown, constraint?: string): boolean {
  const driverError = (error as { driverError?: { code?: string; constraint?: string } } | null)?.driverError;
  return driverError?.code === '23505' && (constraint === undefined || driverError.constraint === constraint);
}
