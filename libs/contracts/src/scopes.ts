/** What a credential may do. Each route declares the one it needs. */
export const scopes = [
  'platform',
  'events:write', 'usage:read',
  'catalog:read', 'catalog:write',
  'customers:read', 'customers:write',
  'subscriptions:read', 'subscriptions:write',
  'invoices:read', 'invoices:write',
  'finance:read',
  'keys:read', 'keys:write',
  'organization:read', 'organization:write',
  'test-clock:write',
] as const;

export type Scope = (typeof scopes)[number];

/** All but `platform`, which creates organizations and belongs to the bootstrap key. */
export const ownerScopes: readonly Scope[] = scopes.filter((scope) => scope !== 'platform');
