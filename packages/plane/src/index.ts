export * from './allocation/index.ts';
export * from './boot/index.ts';
export * from './clusters/index.ts';
export * from './insight/index.ts';
export * from './inventory/index.ts';
export * from './link/index.ts';
export * from './metadata/index.ts';
export * from './power/index.ts';
