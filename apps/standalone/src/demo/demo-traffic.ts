/** A customer of the demo: how many calls a day on average, and how its calls are spread over routes. */
export interface DemoCustomer {
  readonly key: string;
  readonly name: string;
  readonly email: string;
  readonly callsPerDay: number;
}

export interface DemoEvent {
  readonly id: string;
  readonly type: string;
  readonly source: string;
  readonly subject: string;
  readonly time: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export const demoCustomers: readonly DemoCustomer[] = [
  { key: 'atlas-maps', name: 'Atlas Maps', email: 'billing@atlas-maps.example', callsPerDay: 60 },
  { key: 'borealis', name: 'Borealis Weather', email: 'finance@borealis.example', callsPerDay: 25 },
  { key: 'cartwheel', name: 'Cartwheel Games', email: 'ap@cartwheel.example', callsPerDay: 9 },
];

const routes = ['/v1/geocode', '/v1/reverse', '/v1/route', '/v1/tiles'];
const generatorModulus = 2_147_483_647;
const generatorFactor = 48_271;

/** The same numbers in [0, 1) at every start, so that the demo always shows the same invoices. */
function numbersFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * generatorFactor) % generatorModulus;
    return state / generatorModulus;
  };
}

/** A month of calls: busier by day than by night, some of them failing. */
export function demoTraffic(month: { start: Temporal.Instant; end: Temporal.Instant }): readonly DemoEvent[] {
  const next = numbersFrom(20_270_101);
  const days = Math.round(month.end.since(month.start).total('days'));
  return demoCustomers.flatMap((customer) =>
    Array.from({ length: days }, (_, day) => {
      const calls = Math.round(customer.callsPerDay * (0.6 + 0.8 * next()));
      return Array.from({ length: calls }, (_, call) => demoCall({ customer, day, call, month, next }));
    }).flat(),
  );
}

function demoCall(options: { customer: DemoCustomer; day: number; call: number; month: { start: Temporal.Instant }; next: () => number }): DemoEvent {
  const { customer, day, call, month, next } = options;
  const hour = Math.min(23, Math.floor(12 + 12 * (next() + next() - 1)));
  const time = month.start.add({ hours: day * 24 + hour, seconds: Math.floor(next() * 3_600) });
  const failed = next() < 0.02;
  return {
    id: `${customer.key}-${day}-${call}`,
    type: 'http.request',
    source: 'demo-gateway',
    subject: customer.key,
    time: time.toString(),
    data: {
      route: routes[Math.floor(next() * routes.length)],
      status: failed ? 500 : 200,
      bytes: failed ? 180 : 20_000 + Math.floor(next() * 900_000),
      latency_ms: 12 + Math.floor(next() * 80),
    },
  };
}
