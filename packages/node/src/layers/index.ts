export * from './attempts.ts';
export * from './config-layer.ts';
export * from './merge-controller.ts';
export * from './problems.ts';
