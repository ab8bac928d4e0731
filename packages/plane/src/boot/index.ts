export * from './boot-sessions.ts';
