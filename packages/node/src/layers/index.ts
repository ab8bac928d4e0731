export * from './apply-specs.ts';
export * from './attempts.ts';
export * from './config-layer.ts';
export * from './merge-controller.ts';
export * from './notices.ts';
export * from './patience.ts';
export * from './problems.ts';
