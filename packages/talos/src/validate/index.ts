export { flagAt, listAt, mapAt, mapsAt, numberAt, textAt, textsAt } from './section.ts';
export { type ValidateOptions, type ValidationResult, validateConfig } from './validate-config.ts';
export { wireguardKeyProblem } from './wireguard.ts';
