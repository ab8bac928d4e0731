export * from './check-rules.ts';
export * from './compile-rules.ts';
export * from './field-path-of-rule.ts';
export * from './rule.ts';
export * from './rule-plan.ts';
