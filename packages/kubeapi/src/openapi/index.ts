export * from './openapi-v2.ts';
export * from './openapi-v2-protobuf.ts';
export * from './openapi-v3.ts';
export * from './schema-name.ts';
