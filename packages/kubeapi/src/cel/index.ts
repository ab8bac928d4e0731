export * from './compile-cel.ts';
export * from './compile-condition.ts';
export * from './environment.ts';
export * from './linear-pattern.ts';
export * from './typed-value.ts';
export * from './work-budget.ts';
