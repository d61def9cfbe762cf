/** The product's own HTTP interface, as a newcomer would call it. */
export class DemoClient {
  constructor(private readonly options: { readonly url: string; readonly key: string; readonly signal: AbortSignal }) {}

  async post(path: string, body: unknown): Promise<void> {
    const answer = await fetch(this.options.url + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${this.options.key}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: this.options.signal,
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${text}`);
  }
}
