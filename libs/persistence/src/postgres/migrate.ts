import { DataSource } from 'typeorm';
import { migrations } from './migrations/migrations.js';

const migrationLock = 7_420_001;

/** Brings the database to this build's state, as its owner. Safe to repeat and to run from several processes at once. Returns how many migrations ran. */
export async function migrateDatabase(url: string): Promise<number> {
  const dataSource = new DataSource({
    type: 'postgres',
    url,
    migrations,
    migrationsTableName: 'migrations',
    migrationsTransactionMode: 'each',
    synchronize: false,
    poolSize: 2,
    applicationName: 'tollway-migrate',
  });
  await dataSource.initialize();
  const lock = dataSource.createQueryRunner();
  try {
    await lock.query('select pg_advisory_lock($1)', [migrationLock]);
    const done = await dataSource.runMigrations();
    return done.length;
  } finally {
    await lock.query('select pg_advisory_unlock($1)', [migrationLock]).catch(() => undefined);
    await lock.release();
    await dataSource.destroy();
  }
}
