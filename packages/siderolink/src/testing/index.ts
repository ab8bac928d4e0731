export * from './fake-proxies.ts';
