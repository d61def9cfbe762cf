import { badParameter, noSuch } from './double-error.js';
import type { Params } from './params.js';

interface Listed {
  readonly id: string;
  readonly created: number;
}

export const pagingParams = ['limit', 'starting_after', 'ending_before', 'created'] as const;

/** One page, newest first unless `order` says that the rows stand as they are to be shown. */
export function listPage<Row extends { readonly id: string }>(rows: Iterable<Row>, options: { params: Params; url: string; show: (row: Row) => unknown; order?: 'as_given' }): object {
  const { params } = options;
  const limit = params.integer('limit') ?? 10;
  if (limit < 1 || limit > 100) throw badParameter('limit', 'Limit must be between 1 and 100.');
  const ordered = options.order === 'as_given' ? [...rows] : [...rows].reverse();
  const before = params.text('ending_before');
  const after = params.text('starting_after');
  if (before !== undefined) {
    const end = placeOf(ordered, before);
    const start = Math.max(0, end - limit);
    return page(ordered.slice(start, end), { ...options, hasMore: start > 0 });
  }
  const start = after === undefined ? 0 : placeOf(ordered, after) + 1;
  return page(ordered.slice(start, start + limit), { ...options, hasMore: start + limit < ordered.length });
}

function page<Row>(rows: readonly Row[], options: { url: string; show: (row: Row) => unknown; hasMore: boolean }): object {
  return { object: 'list', data: rows.map(options.show), has_more: options.hasMore, url: options.url };
}

function placeOf(rows: readonly { readonly id: string }[], id: string): number {
  const place = rows.findIndex((row) => row.id === id);
  if (place < 0) throw noSuch('object to page from', id);
  return place;
}

/** `created` as a number, or as gt, gte, lt, lte. */
export function createdFilter(params: Params): (row: Listed) => boolean {
  if (typeof params.values['created'] === 'string') {
    const at = params.integer('created');
    return (row) => row.created === at;
  }
  const range = params.nested('created')?.allow('gt', 'gte', 'lt', 'lte');
  if (range === undefined) return () => true;
  const bound = (name: string, otherwise: number): number => range.integer(name) ?? otherwise;
  const [gt, gte] = [bound('gt', -Infinity), bound('gte', -Infinity)];
  const [lt, lte] = [bound('lt', Infinity), bound('lte', Infinity)];
  return (row) => row.created > gt && row.created >= gte && row.created < lt && row.created <= lte;
}
