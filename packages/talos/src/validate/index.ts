export { type ValidateOptions, type ValidationResult, validateConfig } from './validate-config.ts';
