import type { Controller } from '@bloomery/cosi';
import { createNotices } from '../layers/index.ts';
import { ACTIVE_CONFIG, Environment, MachineConfig } from '../resources/index.ts';
import { configuredVariables } from './configured-variables.ts';
import { maskedVariables } from './masked-variables.ts';
import type { NodeVariables } from './node-variables.ts';

/** Annotation of the environment: variables that are no longer configured but stay in force until the daemon starts again. */
export const STALE_ANNOTATION = 'bloomery.dev/until-restart';

/** The variables that count for what the daemon dials, as configured. Shown without passwords. */
export function environmentController(variables: NodeVariables): Controller {
  const problems = createNotices('warn', 'environment.leftOut');
  const leftovers = createNotices('warn', 'environment.untilRestart');
  return {
    name: 'runtime.EnvironmentController',
    inputs: [{ definition: MachineConfig, id: ACTIVE_CONFIG, kind: 'weak' }],
    outputs: [{ definition: Environment, kind: 'exclusive' }],
    reconcile: (context) => {
      const configured = configuredVariables(context.get(MachineConfig, ACTIVE_CONFIG)?.spec);
      const stale = variables.set(configured.variables);
      problems.say(context.log, configured.problems);
      leftovers.say(
        context.log,
        stale.map((name) => `${name} is no longer configured; it stays in force until a restart`),
      );
      const spec = Environment.make({ variables: maskedVariables(variables.current()) });
      const annotations = stale.length === 0 ? {} : { [STALE_ANNOTATION]: stale.join(',') };
      context.put(Environment, 'machined', spec, { annotations });
    },
  };
}
