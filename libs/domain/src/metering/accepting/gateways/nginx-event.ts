import { valueAt } from '../../data-value.js';
import type { JsonObject } from '../canonical-data.js';
import { parseRequest } from '../combined-line.js';
import type { HttpFields } from '../http-data.js';
import { httpEvent, type GatewayEvent } from './gateway-event.js';
import { accessLogTime, amountOfFirst, bytesOfFirst, epochTime, firstTime, millisecondsOf, statusOfFirst, targetOf, textOfFirst } from './record-values.js';

/** A line of an NGINX log_format that writes JSON whose keys are called like NGINX's variables. */
export function nginxEvent(record: JsonObject): GatewayEvent {
  const at = (...path: readonly string[]): unknown => valueAt(record, path);
  return httpEvent(
    {
      requestId: nginxRequestId(record),
      subject: textOfFirst(at('consumer'), at('remote_user'), at('remote_addr')),
      time: nginxTime(record),
    },
    nginxFields(record),
  );
}

/** `$request_id`, which NGINX makes itself. */
export function nginxRequestId(record: JsonObject): string | null {
  return textOfFirst(valueAt(record, ['request_id']));
}

/** The finest of the times that NGINX has variables for. */
export function nginxTime(record: JsonObject): unknown {
  const at = (name: string): unknown => valueAt(record, [name]);
  return firstTime(epochTime(at('msec'), 'seconds'), at('time_iso8601'), accessLogTime(at('time_local')), at('time'), at('@timestamp'));
}

/** The data that NGINX has variables for. Its times are seconds. */
export function nginxFields(record: JsonObject): HttpFields {
  const at = (name: string): unknown => valueAt(record, [name]);
  const line = parseRequest(textOfFirst(at('request')) ?? '');
  const target = targetOf(textOfFirst(at('request_uri'), at('uri')));
  return {
    client: textOfFirst(at('remote_addr')),
    user: textOfFirst(at('remote_user')),
    method: textOfFirst(at('request_method'), line.method),
    path: target.path ?? line.path,
    query: target.query ?? textOfFirst(at('args'), at('query_string'), line.query),
    protocol: textOfFirst(at('server_protocol'), line.protocol),
    status: statusOfFirst(at('status')),
    bytes: bytesOfFirst(at('body_bytes_sent'), at('bytes_sent')),
    request_bytes: amountOfFirst(at('request_length')),
    latency_ms: millisecondsOf(amountOfFirst(at('request_time'))),
    route: textOfFirst(at('route')),
    service: textOfFirst(at('service')),
    user_agent: textOfFirst(at('http_user_agent')),
    referer: textOfFirst(at('http_referer')),
  };
}
