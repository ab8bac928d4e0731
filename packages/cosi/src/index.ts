export * from './controller.ts';
export * from './resource.ts';
export * from './resource-definition.ts';
export * from './runtime.ts';
export * from './spec/field.ts';
export * from './state.ts';
