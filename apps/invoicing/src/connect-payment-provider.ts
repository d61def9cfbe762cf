import { findOrganization, readPaymentConnection, savePaymentConnection, type Database, type NewPaymentConnection, type PaymentConnection, type SecretBox } from '#persistence';
import { accepted, assert, refused, type Outcome } from '#platform';
import type { StripeSettings } from './payment-providers.js';

export type ConnectCode = 'sandbox_in_live_mode' | 'api_base_not_allowed' | 'live_key_in_test_mode' | 'test_key_in_live_mode';

/** How an organization is connected, without its secrets. */
export interface ConnectionView {
  readonly provider: 'stripe' | 'sandbox' | 'none';
  readonly source: 'organization' | 'environment' | 'default';
  readonly apiBase: string | null;
  readonly hasApiKey: boolean;
  readonly hasWebhookSecret: boolean;
  readonly webhookPath: string | null;
  readonly updatedAt: Temporal.Instant | null;
}

export interface ConnectUse {
  readonly database: Database;
  readonly box: SecretBox;
  readonly bootstrapStripe: StripeSettings | null;
  /** Whether an organization may name another origin than Stripe's: its keys would go there. */
  readonly allowApiBase: boolean;
}

/** Connects an organization to its payment provider. Secrets go in and never come out. */
export class ConnectPaymentProvider {
  constructor(private readonly use: ConnectUse) {}

  async connect(organizationId: string, connection: NewPaymentConnection): Promise<Outcome<ConnectionView, ConnectCode>> {
    const { database, box, allowApiBase } = this.use;
    return database.inOrganization(organizationId, async (manager) => {
      const organization = await findOrganization(manager, organizationId);
      assert(organization !== null, 'A caller belongs to an organization.');
      if (connection.provider === 'sandbox' && organization.mode === 'live') return refused('sandbox_in_live_mode', 'The sandbox takes no money; a live organization needs a real payment provider.', [{ pointer: '/provider', code: 'sandbox_in_live_mode', detail: 'Choose "stripe".' }]);
      if (connection.apiBase !== null && !allowApiBase) return refused('api_base_not_allowed', 'This installation connects to Stripe itself only.', [{ pointer: '/api_base', code: 'api_base_not_allowed', detail: 'Leave it out, or set TOLLWAY_ALLOW_STRIPE_BASE=on.' }]);
      const keyMode = /^[sr]k_(test|live)_/.exec(connection.apiKey ?? '')?.[1];
      if (keyMode === 'live' && organization.mode === 'test') return refused('live_key_in_test_mode', 'A test organization would charge real money with a live key.', [{ pointer: '/api_key', code: 'live_key_in_test_mode', detail: 'Give a test key.' }]);
      if (keyMode === 'test' && organization.mode === 'live') return refused('test_key_in_live_mode', 'A live organization would take no money with a test key.', [{ pointer: '/api_key', code: 'test_key_in_live_mode', detail: 'Give a live key.' }]);
      await savePaymentConnection(manager, { organizationId, box, connection });
      const saved = await readPaymentConnection(manager, { organizationId, box });
      assert(saved !== null, 'What was saved can be read.');
      return accepted(viewOf(organizationId, saved));
    });
  }

  async read(organizationId: string): Promise<ConnectionView> {
    const { database, box, bootstrapStripe } = this.use;
    return database.inOrganization(organizationId, async (manager) => {
      const connection = await readPaymentConnection(manager, { organizationId, box });
      if (connection !== null) return viewOf(organizationId, connection);
      const organization = await findOrganization(manager, organizationId);
      assert(organization !== null, 'A caller belongs to an organization.');
      if (organization.isBootstrap && bootstrapStripe !== null) {
        const { apiBase, webhookSecret } = bootstrapStripe;
        return { provider: 'stripe', source: 'environment', apiBase, hasApiKey: true, hasWebhookSecret: webhookSecret !== null, webhookPath: '/v1/webhooks/stripe', updatedAt: null };
      }
      const none = { source: 'default', apiBase: null, hasApiKey: false, hasWebhookSecret: false, webhookPath: null, updatedAt: null } as const;
      return { provider: organization.mode === 'test' ? 'sandbox' : 'none', ...none };
    });
  }
}

function viewOf(organizationId: string, connection: PaymentConnection): ConnectionView {
  return {
    provider: connection.provider,
    source: 'organization',
    apiBase: connection.apiBase,
    hasApiKey: connection.apiKey !== null,
    hasWebhookSecret: connection.webhookSecret !== null,
    webhookPath: connection.provider === 'stripe' ? `/v1/webhooks/stripe/${organizationId}` : null,
    updatedAt: connection.updatedAt,
  };
}
