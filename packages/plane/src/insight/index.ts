export * from './timeline.ts';
export * from './timeline-store.ts';
