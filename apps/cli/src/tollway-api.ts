/** What the server, or the way to it, answered instead of doing it. */
export class ApiRefusal extends Error {
  constructor(readonly lines: readonly string[]) {
    super(lines.join('\n'));
    this.name = 'ApiRefusal';
  }
}

interface Problem {
  readonly detail?: string;
  readonly errors?: readonly { readonly pointer: string; readonly detail: string }[];
}

const timeoutMs = 30_000;

/** The product's own HTTP interface. */
export class TollwayApi {
  constructor(private readonly options: { readonly url: string; readonly key: string }) {}

  /** Null where there is none. */
  async read(path: string): Promise<Readonly<Record<string, unknown>> | null> {
    const answer = await this.send(path, { method: 'GET' });
    if (answer.status === 404) return null;
    return this.bodyOf(answer, `GET ${path}`);
  }

  async replace(path: string, body: unknown): Promise<void> {
    const answer = await this.send(path, { method: 'PUT', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } });
    await this.bodyOf(answer, `PUT ${path}`);
  }

  private async send(path: string, request: { method: string; body?: string; headers?: Record<string, string> }): Promise<Response> {
    const headers = { authorization: `Bearer ${this.options.key}`, ...request.headers };
    try {
      return await fetch(`${this.options.url}${path}`, { ...request, headers, signal: AbortSignal.timeout(timeoutMs) });
    } catch (cause) {
      throw new ApiRefusal([`${this.options.url} can not be reached: ${cause instanceof Error ? cause.message : String(cause)}.`]);
    }
  }

  private async bodyOf(answer: Response, what: string): Promise<Readonly<Record<string, unknown>>> {
    const body = (await answer.json().catch(() => ({}))) as Problem & Record<string, unknown>;
    if (answer.ok) return body;
    const faults = (body.errors ?? []).map(({ pointer, detail }) => `  ${pointer}: ${detail}`);
    throw new ApiRefusal([`${what} was answered with ${answer.status}: ${body.detail ?? 'nothing more was said.'}`, ...faults]);
  }
}
