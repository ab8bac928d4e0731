export * from './host-file-keeper.ts';
