export * from './talos-config/index.ts';
