export * from './age.ts';
export * from './json-path.ts';
export * from './table.ts';
