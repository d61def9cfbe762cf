import { valueAt } from '../../data-value.js';
import type { JsonObject } from '../canonical-data.js';
import { httpEvent, type GatewayEvent } from './gateway-event.js';
import { accessLogTime, amountOfFirst, bytesOfFirst, epochTime, firstTime, statusOfFirst, targetOf, textOfFirst } from './record-values.js';

/**
 * A line of an AWS API Gateway access log that writes JSON whose keys are called like the $context variables. Callers may
 * choose `requestId` (a header overrides it), so the extended one is taken where the log has it.
 */
export function awsApiGatewayEvent(record: JsonObject): GatewayEvent {
  const at = (name: string): unknown => valueAt(record, [name]);
  const route = textOfFirst(at('resourcePath'), at('routeKey'));
  const target = targetOf(textOfFirst(at('path'), at('resourcePath')));
  return httpEvent(
    {
      requestId: textOfFirst(at('extendedRequestId'), at('requestId')),
      subject: textOfFirst(at('principalId'), at('apiKeyId')),
      time: firstTime(epochTime(at('requestTimeEpoch'), 'milliseconds'), accessLogTime(at('requestTime'))),
    },
    {
      client: textOfFirst(at('ip'), at('sourceIp')),
      user: textOfFirst(at('user'), at('caller')),
      method: textOfFirst(at('httpMethod')),
      ...target,
      protocol: textOfFirst(at('protocol')),
      status: statusOfFirst(at('status')),
      bytes: bytesOfFirst(at('responseLength')),
      latency_ms: amountOfFirst(at('responseLatency')),
      route,
      service: textOfFirst(at('apiId')),
      user_agent: textOfFirst(at('userAgent')),
      referer: textOfFirst(at('referer')),
    },
  );
}
