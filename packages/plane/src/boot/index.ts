export { type BootSessionStore, memorySessionStore, openSessionFile } from './boot-session-file.ts';
export { type BootSessionDeps, createBootSessions, openBootSessions } from './boot-session-registry.ts';
export * from './boot-sessions.ts';
export * from './http-route.ts';
export { createIpxeRoute, type IpxeRouteDeps, type ServerName } from './ipxe-route.ts';
