import { durationText, type ApiKeyBody, type OrganizationBody } from '#contracts';
import type { ApiKey, Organization } from '#persistence';
import { instantText } from './wire-text.js';

export function toOrganizationBody(organization: Organization): OrganizationBody {
  const entity = organization.legalEntity;
  return {
    id: organization.id,
    object: 'organization',
    name: organization.name,
    mode: organization.mode,
    time_zone: organization.timeZone,
    grace_period: durationText(organization.gracePeriodSeconds),
    rounding: organization.rounding,
    dedupe_window: durationText(organization.dedupeWindowSeconds),
    raw_retention: organization.rawRetentionSeconds === null ? null : durationText(organization.rawRetentionSeconds),
    invoice_prefix: organization.invoicePrefix,
    legal_entity: entity === null ? null : { name: entity.name, address: entity.address, tax_id: entity.taxId },
    invoice_footer: organization.invoiceFooter,
    created_at: instantText(organization.createdAt),
    metadata: organization.metadata,
  };
}

export function toApiKeyBody(apiKey: ApiKey): ApiKeyBody {
  return {
    id: apiKey.id,
    object: 'api_key',
    name: apiKey.name,
    hint: apiKey.hint,
    scopes: [...apiKey.scopes],
    expires_at: instantText(apiKey.expiresAt),
    last_used_at: instantText(apiKey.lastUsedAt),
    revoked_at: instantText(apiKey.revokedAt),
    created_at: instantText(apiKey.createdAt),
    metadata: apiKey.metadata,
  };
}
