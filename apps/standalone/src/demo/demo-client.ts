import { request } from 'node:http';
import { text } from 'node:stream/consumers';

/** The product's own HTTP interface, as a newcomer would call it. Not by fetch, which refuses ports that browsers do, such as 4190. */
export class DemoClient {
  constructor(private readonly options: { readonly url: string; readonly key: string; readonly signal: AbortSignal }) {}

  async post(path: string, body: unknown): Promise<void> {
    const { status, answer } = await this.send({ path, body: JSON.stringify(body) });
    if (status < 200 || status > 299) throw new Error(`${path} answered ${status}: ${answer}`);
  }

  private send({ path, body }: { readonly path: string; readonly body: string }): Promise<{ status: number; answer: string }> {
    const { url, key, signal } = this.options;
    return new Promise((resolve, reject) => {
      const sending = request(url + path, { method: 'POST', agent: false, headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }, signal });
      sending.on('error', reject);
      sending.on('response', (response) => {
        text(response).then((answer) => resolve({ status: response.statusCode ?? 0, answer }), reject);
      });
      sending.end(body);
    });
  }
}
