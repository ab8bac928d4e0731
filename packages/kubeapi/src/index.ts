export * from './api-engine.ts';
export * from './pipeline/field-management.ts';
export * from './store/open-store.ts';
export * from './store/store.ts';
