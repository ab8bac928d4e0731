export * from './build-cli.ts';
export * from './cli-deps.ts';
export { EXIT, exitCodeOf, usageError } from './exit-code.ts';
export * from './run-cli.ts';
