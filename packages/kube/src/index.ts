export * from './controller.ts';
export * from './event-recorder.ts';
export * from './object-cache.ts';
export * from './object-client.ts';
