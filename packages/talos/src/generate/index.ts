export * from './generate-config.ts';
export * from './version-contract.ts';
