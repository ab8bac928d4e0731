export * from './crd-defaults.ts';
export * from './crd-names.ts';
export * from './crd-parts.ts';
export * from './crd-problems.ts';
export * from './crd-schema.ts';
