import type { Controller } from '@bloomery/cosi';
import type { Logger } from '@bloomery/ports';
import type { Kernel, KernelRule } from '../kernel/kernel.ts';
import { refusalErrno } from '../kernel/kernel-error.ts';
import { isSameRule } from '../kernel/live-view.ts';
import { madeRule } from '../kernel/made-here.ts';
import { onKernelChange } from '../kernel/on-kernel-change.ts';
import {
  applySpecs,
  createAttempts,
  createNotices,
  createPatience,
  layeredId,
  type Patience,
  type Problems,
} from '../layers/index.ts';
import type { NodeEnvironment } from '../node-environment.ts';
import { ACTIVE_CONFIG, LAYERED, MachineConfig } from '../resources/machine-config.ts';
import { RoutingRuleSpec } from '../resources/routes.ts';
import { configuredRules, kernelRule, routingRuleId } from './routing-rules.ts';

/** Routing rules of the configuration on layer `configuration`. */
export function routingRuleConfigController(): Controller {
  const notices = createNotices('warn', 'routing-rule.unreadable');
  return {
    name: 'network.RoutingRuleConfigController',
    inputs: [{ definition: MachineConfig, id: ACTIVE_CONFIG, kind: 'weak' }],
    outputs: [{ definition: RoutingRuleSpec, kind: 'shared' }],
    reconcile: (context) => {
      const documents = context.get(MachineConfig, ACTIVE_CONFIG)?.spec.documents ?? [];
      const { specs, unreadable } = configuredRules(documents);
      const outputs = context.outputs(RoutingRuleSpec, { namespace: LAYERED });
      for (const spec of specs) outputs.put(layeredId('configuration', routingRuleId(spec)), spec);
      outputs.finish();
      notices.say(context.log, unreadable);
    },
  };
}

/** By the id of the spec; more than one while an old one is still to be removed. */
type MadeRules = Map<string, readonly KernelRule[]>;

/** What is worked with in one pass. */
interface Work {
  readonly kernel: Kernel;
  /** What this daemon has put there, by the id of the spec. */
  readonly made: MadeRules;
  readonly patience: Patience;
  readonly nowMs: number;
  readonly log: Logger;
}

/**
 * Puts the merged routing rules into the kernel, and takes away those that go. The kernel has no way to change a rule: the new one is
 * added before the old one is removed. Rules of others are never touched, also of the same priority.
 */
export function routingRuleSpecController(
  { kernel, random }: Pick<NodeEnvironment, 'kernel' | 'random'>,
  problems: Problems,
): Controller {
  const attempts = createAttempts({ definition: RoutingRuleSpec, problems, random });
  const made: MadeRules = new Map();
  const patience = createPatience();
  return {
    name: 'network.RoutingRuleSpecController',
    inputs: [{ definition: RoutingRuleSpec, kind: 'strong' }],
    outputs: [],
    wakes: [onKernelChange(kernel, 'rule')],
    reconcile: async (context) => {
      const work: Work = { kernel, made, patience, nowMs: context.clock.nowMs(), log: context.log };
      await applySpecs(context, {
        definition: RoutingRuleSpec,
        attempts,
        problems,
        waitsFor: () => undefined,
        bringAbout: (spec) => bringAbout(spec, work),
        takeAway: (spec) => takeAway(spec, work),
      });
    },
  };
}

async function bringAbout(spec: RoutingRuleSpec, { kernel, made, patience, nowMs, log }: Work): Promise<void> {
  const id = routingRuleId(spec);
  const rule = kernelRule(spec);
  const isNew = !isPresent(rule, kernel);
  if (isNew) {
    await kernel.rules.add(rule);
    log.info('routing-rule.created', { id, layer: spec.layer });
  }
  const others = made.get(id)?.filter((other) => !isSameRule(other, rule)) ?? [];
  made.set(id, [rule, ...others]);
  for (const other of others) if (madeRule(kernel, other)) await removeRule(other, kernel);
  made.set(id, [rule]);
  if (isNew) patience.spend(id, nowMs, `adding routing rule ${id}`);
  else patience.rest(id);
}

async function takeAway(spec: RoutingRuleSpec, { kernel, made, patience, log }: Work): Promise<void> {
  const id = routingRuleId(spec);
  patience.forget(id);
  for (const rule of made.get(id) ?? [kernelRule(spec)]) {
    // What was there before the daemon stays.
    if (!isPresent(rule, kernel) || !madeRule(kernel, rule)) continue;
    await removeRule(rule, kernel);
    log.info('routing-rule.removed', { id, layer: spec.layer });
  }
  made.delete(id);
}

const isPresent = (rule: KernelRule, { view }: Kernel): boolean =>
  view.rules.some((present) => isSameRule(present, rule));

/** One that is already gone is no failure. */
async function removeRule(rule: KernelRule, kernel: Kernel): Promise<void> {
  await kernel.rules.remove(rule).catch((error: unknown) => {
    if (refusalErrno(error) !== 'ENOENT') throw error;
  });
}
