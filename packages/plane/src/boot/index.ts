export { type AddressLimits, createAddressLimit } from './address-limit.ts';
export {
  type BootServices,
  type BootServicesDeps,
  type BootServicesOptions,
  environmentsFolder,
  startBootServices,
} from './boot-services.ts';
export { type BootSessionStore, memorySessionStore, openSessionFile } from './boot-session-file.ts';
export { type BootSessionDeps, createBootSessions, openBootSessions } from './boot-session-registry.ts';
export * from './boot-sessions.ts';
export { renderChainScript } from './chain-script.ts';
export type { Fetch } from './environments/asset-download.ts';
export { type AssetShelf, type AssetShelfDeps, createAssetShelf } from './environments/asset-shelf.ts';
export { createHttpFetch } from './environments/http-fetch.ts';
export { createEnvironmentController, type EnvironmentControllerDeps } from './environments/reconcile.ts';
export * from './http-route.ts';
export { createIpxeRoute, type IpxeRouteDeps, type ServerName } from './ipxe-route.ts';
export { type LinkApiOf, type MachineLinkApi, PLAIN_LINK_API } from './machine-link-api.ts';
