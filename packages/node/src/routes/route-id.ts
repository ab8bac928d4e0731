import type { RouteSpec } from '../resources/routes.ts';

type Identity = Pick<RouteSpec, 'table' | 'family' | 'outLinkName' | 'gateway' | 'dst' | 'priority'>;

/**
 * Id of a route: `[table/][link/ for inet6]family/gateway/destination/priority`; the main table is not named, and the default route has
 * an empty destination: `inet4/10.0.0.1//1024`.
 */
export function routeId({ table, family, outLinkName, gateway, dst, priority }: Identity): string {
  const ofTable = table === 'main' ? '' : `${table}/`;
  const ofLink = family === 'inet6' ? `${outLinkName}/` : '';
  return `${ofTable}${ofLink}${family}/${gateway}/${dst}/${priority}`;
}
