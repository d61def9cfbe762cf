export { createFront } from './create-front.js';
export { appNames, appOf, routesOf } from './route-table.js';
export type { AppName } from './route-table.js';
export { Upstreams } from './upstreams.js';
