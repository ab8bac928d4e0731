export { jsonEqual } from '@bloomery/model';
export * from './field-causes.ts';
export * from './field-path.ts';
export * from './go-text.ts';
export * from './object-meta.ts';
export * from './object-meta-schema.ts';
export * from './process-object.ts';
export * from './unreadable-field.ts';
