export * from './config/index.ts';
export * from './dns/host-dns.ts';
export * from './files/index.ts';
export * from './kernel/index.ts';
export * from './links/index.ts';
export * from './node-environment.ts';
export * from './resources/index.ts';
export * from './served-definitions.ts';
