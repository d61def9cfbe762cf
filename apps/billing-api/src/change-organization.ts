import { durationSeconds, type OrganizationUpdate } from '#contracts';
import { findOrganization, organizationTable, updateRow, type Database, type Organization } from '#persistence';
import { accepted, assert, refused, type Outcome } from '#platform';

type Changes = { -readonly [Name in keyof Organization]?: Organization[Name] };

/** Changes settings of the caller's organization. What is not named stays. */
export class ChangeOrganization {
  constructor(private readonly database: Database) {}

  async execute(organizationId: string, input: OrganizationUpdate): Promise<Outcome<Organization, 'invalid_request'>> {
    return this.database.inOrganization(organizationId, async (manager) => {
      await manager.query('select 1 from organizations where id = $1 for update', [organizationId]);
      const organization = await findOrganization(manager, organizationId);
      assert(organization !== null, 'The organization of a credential exists.');
      const set = changesOf(input);
      const changed = { ...organization, ...set };
      if (changed.rawRetentionSeconds !== null && changed.rawRetentionSeconds < changed.dedupeWindowSeconds) {
        const detail = 'Raw events must be kept for at least the dedupe window, or copies could not be recognised.';
        return refused('invalid_request', detail, [{ pointer: '/raw_retention', code: 'shorter_than_dedupe_window', detail }]);
      }
      await updateRow(manager, organizationTable, { id: organizationId, set });
      return accepted(changed);
    });
  }
}

function changesOf(input: OrganizationUpdate): Changes {
  const changes: Changes = {};
  if (input.name !== undefined) changes.name = input.name;
  if (input.time_zone !== undefined) changes.timeZone = input.time_zone;
  if (input.grace_period !== undefined) changes.gracePeriodSeconds = secondsOf(input.grace_period);
  if (input.rounding !== undefined) changes.rounding = input.rounding;
  if (input.dedupe_window !== undefined) changes.dedupeWindowSeconds = secondsOf(input.dedupe_window);
  if (input.raw_retention !== undefined) changes.rawRetentionSeconds = input.raw_retention === null ? null : secondsOf(input.raw_retention);
  if (input.invoice_prefix !== undefined) changes.invoicePrefix = input.invoice_prefix;
  if (input.invoice_footer !== undefined) changes.invoiceFooter = input.invoice_footer;
  if (input.legal_entity !== undefined) {
    const entity = input.legal_entity;
    changes.legalEntity = entity === null ? null : { name: entity.name, address: entity.address ?? null, taxId: entity.tax_id ?? null };
  }
  if (input.metadata !== undefined) changes.metadata = input.metadata;
  return changes;
}

function secondsOf(duration: string): number {
  const seconds = durationSeconds(duration);
  assert(seconds !== null, 'Durations are checked where they enter.');
  return seconds;
}
