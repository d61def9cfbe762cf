import { valueAt } from '../../data-value.js';
import type { JsonObject } from '../canonical-data.js';
import { httpEvent, type GatewayEvent } from './gateway-event.js';
import { amountOfFirst, bytesOfFirst, epochTime, headerOf, statusOfFirst, targetOf, textOfFirst } from './record-values.js';

/** An entry of Kong's http-log plugin. A call without a consumer has no subject. */
export function kongEvent(record: JsonObject): GatewayEvent {
  const at = (...path: readonly string[]): unknown => valueAt(record, path);
  const headers = at('request', 'headers');
  const consumerName = at('consumer', 'username');
  return httpEvent(
    {
      requestId: textOfFirst(at('request', 'id')),
      subject: textOfFirst(at('consumer', 'custom_id'), consumerName, at('consumer', 'id')),
      time: epochTime(at('started_at'), 'milliseconds'),
    },
    {
      client: textOfFirst(at('client_ip')),
      user: textOfFirst(consumerName),
      method: textOfFirst(at('request', 'method')),
      ...targetOf(textOfFirst(at('request', 'uri'))),
      status: statusOfFirst(at('response', 'status')),
      bytes: bytesOfFirst(at('response', 'size')),
      request_bytes: amountOfFirst(at('request', 'size')),
      latency_ms: amountOfFirst(at('latencies', 'request')),
      route: textOfFirst(at('route', 'name'), at('route', 'id')),
      service: textOfFirst(at('service', 'name'), at('service', 'id')),
      user_agent: headerOf(headers, 'user-agent'),
      referer: headerOf(headers, 'referer'),
    },
  );
}
