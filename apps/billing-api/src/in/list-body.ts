import type { RowPage } from '#persistence';
import type { ListBody } from '#platform';

export function toListBody<Row, Body>(page: RowPage<Row>, toBody: (row: Row) => Body): ListBody<Body> {
  return { data: page.items.map(toBody), has_more: page.hasMore };
}
