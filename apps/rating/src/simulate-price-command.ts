import { meteredPriceFaults, simulatedHoursFaults, simulatePrice, type SimulatedPrice, type Simulation } from '#domain';
import { findByIdOrKey, findOrganization, meterTable, type Database } from '#persistence';
import { accepted, assert, refused, type Outcome } from '#platform';

export type SimulateCode = 'invalid_request';

/** Tries a price out and stores nothing. A meter, where one is named, says how the events make a quantity. */
export class SimulatePrice {
  constructor(private readonly database: Database) {}

  async execute(organizationId: string, simulation: Simulation): Promise<Outcome<SimulatedPrice, SimulateCode>> {
    const { organization, meter } = await this.database.inOrganization(organizationId, async (manager) => ({
      organization: await findOrganization(manager, organizationId),
      meter: simulation.price.meter === undefined ? null : await findByIdOrKey(manager, meterTable, simulation.price.meter),
    }));
    assert(organization !== null, 'A credential belongs to an organization.');
    if (simulation.price.meter !== undefined && meter === null) {
      return refused('invalid_request', 'The price can not be simulated as it stands.', [
        { pointer: '/price/meter', code: 'not_found', detail: `There is no meter "${simulation.price.meter}". Leave it out to sum the events.` },
      ]);
    }
    const metered = [...(meter === null ? [] : meteredPriceFaults(simulation.price, { meter, pointer: '/price' })), ...simulatedHoursFaults(simulation, meter ?? undefined)];
    if (metered.length > 0) return refused('invalid_request', meter === null ? 'The price can not be simulated as it stands.' : 'The price can not be simulated with this meter.', metered);
    return accepted(simulatePrice(simulation, { rounding: organization.rounding, meter: meter ?? undefined }));
  }
}
