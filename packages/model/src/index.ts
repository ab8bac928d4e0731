export * from './json.ts';
export * from './kind.ts';
export * from './object.ts';
export type { Infer, Schema, Typed } from './schema.ts';
export * as schema from './schema.ts';
export * from './wait-reason.ts';
