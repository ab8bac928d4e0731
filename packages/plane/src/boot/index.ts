export * from './boot-sessions.ts';
export * from './http-route.ts';
