export * from './decode-body.ts';
