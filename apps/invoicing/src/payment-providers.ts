import { LRUCache } from 'lru-cache';
import { currencyDigits, type PayableAmounts } from '#domain';
import { findOrganization, PostgresSandboxStore, readPaymentConnection, type SecretBox, type Database, type Organization } from '#persistence';
import { assert, SandboxPaymentProvider, StripePaymentProvider, type Clock, type PaymentProvider } from '#platform';

/** The payment connection of the bootstrap organization, from the environment. */
export interface StripeSettings {
  readonly apiKey: string;
  readonly webhookSecret: string | null;
  readonly apiBase: string | null;
}

export interface PaymentProvidersOptions {
  readonly database: Database;
  readonly box: SecretBox;
  readonly clock: Clock;
  readonly bootstrapStripe: StripeSettings | null;
  readonly requestsPerSecond?: number | undefined;
}

const openMax = 1_000;

/** Which payment provider an organization's invoices go to. */
export class PaymentProviders {
  /** Kept open by its settings, so that its bound on requests holds across uses. */
  private readonly stripes = new LRUCache<string, StripePaymentProvider>({ max: openMax });

  constructor(private readonly options: PaymentProvidersOptions) {}

  /** The organization's own connection; for the bootstrap organization that of the environment; else the sandbox for a test organization; null for a live one. */
  async of(organizationId: string): Promise<PaymentProvider | null> {
    const { database, box, bootstrapStripe } = this.options;
    return database.inOrganization(organizationId, async (manager) => {
      const organization = await findOrganization(manager, organizationId);
      assert(organization !== null, 'An invoice belongs to an organization.');
      const connection = await readPaymentConnection(manager, { organizationId, box });
      if (connection?.provider === 'stripe') {
        assert(connection.apiKey !== null, 'A connection to Stripe has a key.');
        return this.stripe(organizationId, { apiKey: connection.apiKey, webhookSecret: connection.webhookSecret, apiBase: connection.apiBase });
      }
      if (connection === null && organization.isBootstrap && bootstrapStripe !== null) return this.stripe(organizationId, bootstrapStripe);
      return this.sandbox(organization);
    });
  }

  /** What the organization's provider takes, by currency; null where none is connected. */
  async limitsOf(organizationId: string): Promise<((currency: string) => PayableAmounts) | null> {
    const provider = await this.of(organizationId);
    return provider === null ? null : (currency) => provider.limits({ currency, minorDigits: currencyDigits(currency) });
  }

  private sandbox(organization: Organization): PaymentProvider | null {
    return organization.mode === 'live' ? null : new SandboxPaymentProvider(new PostgresSandboxStore(this.options.database, organization.id));
  }

  private stripe(organizationId: string, settings: StripeSettings): StripePaymentProvider {
    const key = JSON.stringify([organizationId, settings.apiKey, settings.webhookSecret, settings.apiBase]);
    const open = this.stripes.get(key);
    if (open !== undefined) return open;
    const provider = new StripePaymentProvider({
      apiKey: settings.apiKey,
      webhookSecrets: settings.webhookSecret === null ? [] : [settings.webhookSecret],
      clock: this.options.clock,
      ...(settings.apiBase === null ? {} : { apiBase: settings.apiBase }),
      ...(this.options.requestsPerSecond === undefined ? {} : { requestsPerSecond: this.options.requestsPerSecond }),
    });
    this.stripes.set(key, provider);
    return provider;
  }
}
