import type { EntityManager } from 'typeorm';
import { insertRow, organizationTable, type Organization } from '#persistence';

const secondsPerHour = 3_600;
const dedupeDays = 35;

/** Keeps an organization with the settings that it starts with. */
export async function insertOrganization(
  manager: EntityManager,
  given: Pick<Organization, 'id' | 'name' | 'mode' | 'isBootstrap' | 'createdAt' | 'metadata'>,
): Promise<Organization> {
  const organization: Organization = {
    ...given,
    timeZone: 'UTC',
    gracePeriodSeconds: secondsPerHour,
    rounding: 'half_away_from_zero',
    dedupeWindowSeconds: dedupeDays * 24 * secondsPerHour,
    rawRetentionSeconds: null,
    invoicePrefix: 'INV',
    invoiceFooter: null,
    legalEntity: null,
  };
  await insertRow(manager, organizationTable, organization);
  return organization;
}
