export * from './power-client.ts';
