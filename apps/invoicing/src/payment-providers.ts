import { LRUCache } from 'lru-cache';
import type { EntityManager } from 'typeorm';
import { currencyDigits, type PayableAmounts } from '#domain';
import { findOrganization, PostgresSandboxStore, readPaymentConnection, type SecretBox } from '#persistence';
import { assert, SandboxPaymentProvider, StripePaymentProvider, type Clock, type PaymentProvider } from '#platform';

/** The payment connection of the bootstrap organization, from the environment. */
export interface StripeSettings {
  readonly apiKey: string;
  readonly webhookSecret: string | null;
  readonly apiBase: string | null;
}

export interface PaymentProvidersOptions {
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

  /**
   * The organization's own connection; for the bootstrap organization that of the environment; else the sandbox for a test
   * organization; null for a live one. The sandbox lives as long as the given transaction of the organization.
   */
  async within(manager: EntityManager, organizationId: string): Promise<PaymentProvider | null> {
    const { box, bootstrapStripe } = this.options;
    const organization = await findOrganization(manager, organizationId);
    if (organization === null) return null;
    const connection = await readPaymentConnection(manager, { organizationId, box });
    if (connection?.provider === 'stripe') {
      assert(connection.apiKey !== null, 'A connection to Stripe has a key.');
      return this.stripe(organizationId, { apiKey: connection.apiKey, webhookSecret: connection.webhookSecret, apiBase: connection.apiBase });
    }
    if (connection === null && organization.isBootstrap && bootstrapStripe !== null) return this.stripe(organizationId, bootstrapStripe);
    return organization.mode === 'live' ? null : new SandboxPaymentProvider(new PostgresSandboxStore(manager, organizationId));
  }

  /** What the organization's provider takes, by currency; null where none is connected. */
  async limitsWithin(manager: EntityManager, organizationId: string): Promise<((currency: string) => PayableAmounts) | null> {
    const provider = await this.within(manager, organizationId);
    return provider === null ? null : (currency) => provider.limits({ currency, minorDigits: currencyDigits(currency) });
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
