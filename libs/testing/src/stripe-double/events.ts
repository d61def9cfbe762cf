import { noSuch } from './double-error.js';
import type { DoubleState, EventRow } from './double-state.js';
import { createdFilter, listPage, pagingParams } from './list-page.js';
import type { Params } from './params.js';

export function listEvents(state: DoubleState, params: Params): object {
  params.allow(...pagingParams, 'type', 'types');
  const [type, inRange] = [params.text('type'), createdFilter(params)];
  const types = params.values['types'];
  const rows = [...state.events.values()].filter((event) => {
    return (type === undefined || event.type === type) && (!Array.isArray(types) || types.includes(event.type)) && inRange(event);
  });
  return listPage(rows, { params, url: '/v1/events', show: showEvent });
}

export function retrieveEvent(state: DoubleState, id: string): object {
  const event = state.events.get(id);
  if (event === undefined) throw noSuch('event', id);
  return showEvent(event);
}

export function showEvent(event: EventRow): Record<string, unknown> {
  return {
    id: event.id,
    object: 'event',
    api_version: '2026-10-28.endive',
    created: event.created,
    data: { object: event.object },
    livemode: false,
    pending_webhooks: 1,
    request: { id: null, idempotency_key: null },
    type: event.type,
  };
}
