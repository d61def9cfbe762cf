import { valueAt } from '../../data-value.js';
import { isJsonObject, type JsonObject } from '../canonical-data.js';
import { httpEvent, type GatewayEvent } from './gateway-event.js';
import { nginxFields, nginxRequestId, nginxTime } from './nginx-event.js';
import { amountOfFirst, bytesOfFirst, epochTime, firstTime, headerOf, statusOfFirst, targetOf, textOfFirst } from './record-values.js';

/** What APISIX writes as the route where none matched. */
const noRoute = 'no-matched';

/**
 * An entry of APISIX's http-logger: the default one, or that of a log_format whose keys are called like the variables.
 * APISIX has no request id of its own: it is the header of its request-id plugin.
 */
export function apisixEvent(record: JsonObject): GatewayEvent {
  return isJsonObject(record.request) || isJsonObject(record.response) ? defaultEntry(record) : formattedEntry(record);
}

function defaultEntry(record: JsonObject): GatewayEvent {
  const at = (...path: readonly string[]): unknown => valueAt(record, path);
  const headers = at('request', 'headers');
  const consumerName = textOfFirst(at('consumer', 'username'), at('consumer_name'));
  return httpEvent(
    {
      requestId: headerOf(headers, 'x-request-id') ?? headerOf(at('response', 'headers'), 'x-request-id') ?? textOfFirst(at('request_id'), at('x_request_id')),
      subject: consumerName,
      time: epochTime(at('start_time'), 'milliseconds'),
    },
    {
      client: textOfFirst(at('client_ip')),
      user: consumerName,
      method: textOfFirst(at('request', 'method')),
      ...targetOf(textOfFirst(at('request', 'uri'))),
      status: statusOfFirst(at('response', 'status')),
      bytes: bytesOfFirst(at('response', 'size')),
      request_bytes: amountOfFirst(at('request', 'size')),
      latency_ms: amountOfFirst(at('latency')),
      route: routeOf(record),
      service: textOfFirst(at('service_id')),
      user_agent: headerOf(headers, 'user-agent'),
      referer: headerOf(headers, 'referer'),
    },
  );
}

function formattedEntry(record: JsonObject): GatewayEvent {
  const at = (...path: readonly string[]): unknown => valueAt(record, path);
  const consumerName = textOfFirst(at('consumer_name'), at('consumer', 'username'), at('consumer'));
  const fields = nginxFields(record);
  return httpEvent(
    {
      requestId: nginxRequestId(record) ?? textOfFirst(at('x_request_id'), at('http_x_request_id')),
      subject: consumerName,
      time: firstTime(epochTime(at('start_time'), 'milliseconds'), nginxTime(record)),
    },
    {
      ...fields,
      client: fields.client ?? textOfFirst(at('client_ip')),
      user: consumerName ?? fields.user ?? null,
      method: fields.method ?? textOfFirst(at('method')),
      latency_ms: amountOfFirst(at('latency')) ?? fields.latency_ms ?? null,
      route: routeOf(record) ?? fields.route ?? null,
      service: textOfFirst(at('service_id')) ?? fields.service ?? null,
    },
  );
}

function routeOf(record: JsonObject): string | null {
  const route = textOfFirst(valueAt(record, ['route_id']));
  return route === noRoute ? null : route;
}
