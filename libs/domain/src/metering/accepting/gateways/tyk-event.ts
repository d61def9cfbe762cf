import { valueAt } from '../../data-value.js';
import type { JsonObject } from '../canonical-data.js';
import { httpEvent, type GatewayEvent } from './gateway-event.js';
import { amountOfFirst, firstTime, statusOfFirst, targetOf, textOfFirst } from './record-values.js';

/** A record of Tyk Pump, as its kafka pump (`request_time_ms`) or another one (`request_time`) writes it. Tyk has no request id. */
export function tykEvent(record: JsonObject): GatewayEvent {
  const at = (...path: readonly string[]): unknown => valueAt(record, path);
  return httpEvent(
    {
      requestId: null,
      subject: textOfFirst(at('alias'), at('oauth_id'), at('api_key')),
      time: firstTime(at('timestamp')),
    },
    {
      client: textOfFirst(at('ip_address')),
      user: textOfFirst(at('alias')),
      method: textOfFirst(at('method')),
      ...targetOf(textOfFirst(at('raw_path'), at('path'))),
      status: statusOfFirst(at('response_code')),
      request_bytes: amountOfFirst(at('content_length')),
      latency_ms: amountOfFirst(at('request_time_ms'), at('request_time'), at('latency', 'total')),
      service: textOfFirst(at('api_name'), at('api_id')),
      user_agent: textOfFirst(at('user_agent')),
    },
  );
}
