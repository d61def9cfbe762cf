import { once } from 'node:events';
import { createServer } from 'node:net';
import { Fault } from '#platform';

export interface NamedPort {
  readonly port: number;
  readonly host: string;
  /** The variable that says it. */
  readonly setting: string;
}

/** Says so at once where a port is taken: whoever is to listen there would say it late, in a log, or again and again. */
export async function mustBeFree({ port, host, setting }: NamedPort): Promise<void> {
  const server = createServer();
  try {
    await new Promise<void>((done, fail) => server.once('error', fail).listen(port, host, done));
  } catch (cause) {
    throw new Fault({ code: 'port_in_use', detail: `Port ${port} can not be used. Choose another one by ${setting}.`, retryable: false, cause });
  }
  server.close();
  await once(server, 'close');
}
