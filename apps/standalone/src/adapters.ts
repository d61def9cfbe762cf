import { aggregatorApp } from '#aggregator';
import { billingApiApp } from '#billing-api';
import { ingestApp } from '#ingest';
import { invoicingApp } from '#invoicing';
import type { AppRole } from '#persistence';
import type { Logger } from '#platform';
import { ratingApp } from '#rating';
import { openAdapters, type AppAdapters, type StoreAddresses } from '#service';

/** Each app's own connections, with its own role: standalone keeps to the same rights as the cluster. */
export type Adapters = Readonly<Record<AppRole, AppAdapters>>;

const apps = [ingestApp, aggregatorApp, ratingApp, invoicingApp, billingApiApp];

export async function openAllAdapters(options: { addresses: StoreAddresses; serverSecret: string; logger: Logger }): Promise<Adapters> {
  const opened = await Promise.all(apps.map(async ({ role, poolSizeMax }) => [role, await openAdapters({ ...options, role, poolSizeMax })] as const));
  return Object.fromEntries(opened) as Record<AppRole, AppAdapters>;
}

export async function closeAllAdapters(adapters: Adapters): Promise<void> {
  await Promise.all(Object.values(adapters).map((adapter) => adapter.close()));
}
