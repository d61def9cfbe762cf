import { valueAt } from '../../data-value.js';
import type { JsonObject } from '../canonical-data.js';
import { httpEvent, type GatewayEvent } from './gateway-event.js';
import { amountOfFirst, bytesOfFirst, firstTime, hostOf, statusOfFirst, targetOf, textOfFirst } from './record-values.js';

/**
 * An entry of an Envoy access log with a json_format. Its keys are the operator's: those of Envoy's documentation are
 * read, and `customer` (or `consumer`, `user`) for who is billed, which Envoy itself does not know.
 */
export function envoyEvent(record: JsonObject): GatewayEvent {
  const at = (name: string): unknown => valueAt(record, [name]);
  const target = targetOf(textOfFirst(at('path'), at('original_path')));
  return httpEvent(
    {
      requestId: textOfFirst(at('x_request_id'), at('request_id'), at('stream_id')),
      subject: textOfFirst(at('customer'), at('consumer'), at('user')),
      time: firstTime(at('start_time')),
    },
    {
      client: hostOf(textOfFirst(at('client_ip'), at('downstream_remote_address'), at('downstream_direct_remote_address'))),
      user: textOfFirst(at('user')),
      method: textOfFirst(at('method')),
      ...target,
      protocol: textOfFirst(at('protocol')),
      status: statusOfFirst(at('response_code')),
      bytes: bytesOfFirst(at('bytes_sent')),
      request_bytes: amountOfFirst(at('bytes_received')),
      latency_ms: amountOfFirst(at('duration')),
      route: textOfFirst(at('route_name')),
      service: textOfFirst(at('upstream_cluster')),
      user_agent: textOfFirst(at('user_agent')),
      referer: textOfFirst(at('referer')),
    },
  );
}
