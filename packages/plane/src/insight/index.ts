export * from './explain/boot-verdict.ts';
export * from './explain/explain-input.ts';
export * from './explain/explain-object.ts';
export * from './explain/upstream-objects.ts';
export * from './explain/wait-rules.ts';
export * from './insight-resources.ts';
export * from './timeline.ts';
export * from './timeline-store.ts';
