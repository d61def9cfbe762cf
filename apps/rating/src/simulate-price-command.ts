import { meteredPriceFaults, simulatedHoursFaults, simulatePrice, simulationFaults, type SimulatedPrice, type Simulation } from '#domain';
import { findByIdOrKey, findOrganization, meterTable, type Database } from '#persistence';
import { accepted, assert, refused, type Outcome } from '#platform';

export type SimulateCode = 'invalid_request';

/** Tries a price out and stores nothing. A meter, where one is named, says how the events make a quantity. */
export class SimulatePrice {
  constructor(private readonly database: Database) {}

  async execute(organizationId: string, simulation: Simulation): Promise<Outcome<SimulatedPrice, SimulateCode>> {
    const { price } = simulation;
    const { organization, meter } = await this.database.inOrganization(organizationId, async (manager) => ({
      organization: await findOrganization(manager, organizationId),
      meter: price.meter === undefined ? null : await findByIdOrKey(manager, meterTable, price.meter),
    }));
    assert(organization !== null, 'A credential belongs to an organization.');
    const faults = [
      ...simulationFaults(simulation),
      ...(price.meter !== undefined && meter === null ? [{ pointer: '/price/meter', code: 'not_found', detail: `There is no meter "${price.meter}". Leave it out to sum the events.` }] : []),
      ...(meter === null ? [] : meteredPriceFaults(price, { meter, pointer: '/price' })),
      ...(price.meter !== undefined && meter === null ? [] : simulatedHoursFaults(simulation, meter ?? undefined)),
    ];
    if (faults.length > 0) return refused('invalid_request', 'The price can not be simulated as it stands.', faults);
    return accepted(simulatePrice(simulation, { rounding: organization.rounding, meter: meter ?? undefined }));
  }
}
