export interface SchemaFault {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly message: string;
}

/** Sends a copy of each request to stripe-mock, which holds it against Stripe's published OpenAPI; what it refuses is a fault of ours. */
export class SchemaMirror {
  readonly faults: SchemaFault[] = [];
  /** How many requests were held against the schema. */
  checked = 0;

  constructor(private readonly baseUrl: string) {}

  async check(request: { method: string; path: string; body: string }): Promise<void> {
    const response = await fetch(new URL(request.path, this.baseUrl), {
      method: request.method,
      headers: { authorization: 'Bearer sk_test_123', 'content-type': 'application/x-www-form-urlencoded' },
      ...(request.method === 'POST' ? { body: request.body } : {}),
    });
    const text = await response.text();
    this.checked += 1;
    if (!response.ok) this.faults.push({ method: request.method, path: request.path, status: response.status, message: text });
  }
}
