export * from './generate-config.ts';
export * from './older-talos.ts';
export * from './version-contract.ts';
