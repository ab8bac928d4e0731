import type { Environment } from '@bloomery/siderolink';

/** Environment variables that count for what the daemon dials. */
export interface NodeVariables {
  /** As of now; read at each connect. */
  readonly current: () => Environment;
  /**
   * Set those of the configuration. What was set once and is missing now stays in force until the daemon starts again, as services
   * have it since their own start.
   *
   * @returns names that stay in force so.
   */
  set(variables: Readonly<Record<string, string>>): readonly string[];
}

/** Names of variables of the daemon's own environment that it looks at and shows. */
const PROXY_NAME = /^(https?|all|no)_proxy$/i;
const VALID_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Whether a variable may have this name. */
export const isVariableName = (name: string): boolean => VALID_NAME.test(name);

/** @param own the environment of the process; @param byKernel variables of the kernel arguments, in front of any configuration. */
export function createNodeVariables(own: Environment, byKernel: Readonly<Record<string, string>>): NodeVariables {
  const ofProcess = Object.entries(own).filter(([name, value]) => PROXY_NAME.test(name) && value !== undefined);
  let inForce: Environment = { ...Object.fromEntries(ofProcess), ...byKernel };
  const everSet = new Set<string>();
  return {
    current: () => inForce,
    set: (variables) => {
      inForce = { ...inForce, ...variables };
      for (const name of Object.keys(variables)) everSet.add(name);
      return [...everSet].filter((name) => !Object.hasOwn(variables, name));
    },
  };
}
