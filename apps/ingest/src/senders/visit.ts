import { request } from 'node:http';

export interface Visit {
  readonly key: string;
  /** Sent as they are: bytes of UTF-8 that a client would encode, too. */
  readonly paths: readonly string[];
  readonly method?: string;
}

const atOnceMax = 20;

/** Calls a gateway once for each path; each call has an answer. */
export async function visit(port: number, { key, paths, method = 'GET' }: Visit): Promise<void> {
  for (let from = 0; from < paths.length; from += atOnceMax) {
    await Promise.all(paths.slice(from, from + atOnceMax).map((path) => call(port, { key, path, method })));
  }
}

function call(port: number, { key, path, method }: { readonly key: string; readonly path: string; readonly method: string }): Promise<void> {
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, path: Buffer.from(path).toString('latin1'), method, headers: { 'x-api-key': key } }, (response) => {
      response.resume().on('end', resolve).on('error', reject);
    }).on('error', reject).end();
  });
}
