export * from './field-causes.ts';
export * from './field-path.ts';
export * from './go-text.ts';
export * from './json-equal.ts';
export * from './object-meta.ts';
export * from './object-meta-schema.ts';
export * from './process-object.ts';
export * from './unreadable-field.ts';
