import type { Environment } from '@marcbachmann/cel-js';

/** Adds functions to an environment. */
export type Library = (define: Define, env: Environment) => void;

/** Register a synchronous function: `string.reverse(): string`. Its arguments have the types that the signature names. */
export type Define = (signature: string, handler: (...args: never[]) => unknown) => void;

/** Make the registering function of an environment. */
export function definerOf(env: Environment): Define {
  return (signature, handler) => {
    env.registerFunction(signature, { handler, async: false });
  };
}
