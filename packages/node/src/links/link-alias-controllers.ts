import type { Controller, ReconcileContext, Resource } from '@bloomery/cosi';
import { onKernelChange } from '../kernel/on-kernel-change.ts';
import { createAttempts, createNotices, createProblems, type Problems, problemAnnotations } from '../layers/index.ts';
import type { NodeEnvironment } from '../node-environment.ts';
import { LinkAliasSpec, LinkStatus } from '../resources/links.ts';
import { ACTIVE_CONFIG, MachineConfig } from '../resources/machine-config.ts';
import { type LinkExpressions, loadLinkExpressions } from './link-expression.ts';
import { isAliasDocument, planAliases } from './plan-aliases.ts';

type Deps = Pick<NodeEnvironment, 'kernel' | 'random'>;

/** From LinkAliasConfig documents to IFLA_IFALIAS of the links that they select. */
export function linkAliasControllers(deps: Deps): readonly Controller[] {
  const problems = createProblems();
  return [configController(problems), specController(deps, problems)];
}

function configController(problems: Problems): Controller {
  const notices = createNotices('warn', 'link.alias');
  let expressions: LinkExpressions | undefined;
  return {
    name: 'network.LinkAliasConfigController',
    inputs: [
      { definition: MachineConfig, id: ACTIVE_CONFIG, kind: 'weak' },
      { definition: LinkStatus, kind: 'weak' },
      { definition: LinkAliasSpec, kind: 'destroyReady' },
    ],
    outputs: [{ definition: LinkAliasSpec, kind: 'exclusive' }],
    wakes: [problems],
    reconcile: async (context) => {
      const documents = context.get(MachineConfig, ACTIVE_CONFIG)?.spec.documents.filter(isAliasDocument) ?? [];
      if (documents.length > 0) expressions ??= await loadLinkExpressions();
      const { aliases, warnings } = planAliases(documents, context.list(LinkStatus), expressions ?? (() => false));
      notices.say(context.log, warnings);
      const outputs = context.outputs(LinkAliasSpec);
      for (const [link, alias] of aliases) {
        const problem = problems.of(link);
        outputs.put(link, { alias }, { annotations: problemAnnotations(problem) });
      }
      outputs.finish();
    },
  };
}

function specController({ kernel, random }: Deps, problems: Problems): Controller {
  const attempts = createAttempts({ definition: LinkAliasSpec, problems, random });
  const setAlias = async ({ metadata, spec }: Resource<LinkAliasSpec>, context: ReconcileContext): Promise<void> => {
    const link = kernel.view.linkByName(metadata.id);
    if (link === undefined || link.alias === spec.alias) return;
    await kernel.links.change(link.index, { alias: spec.alias });
    context.log.info('link.alias-set', { link: link.name, alias: spec.alias });
  };
  /** An alias that somebody else gave stays. */
  const clearAlias = async ({ metadata, spec }: Resource<LinkAliasSpec>): Promise<void> => {
    const link = kernel.view.linkByName(metadata.id);
    if (link?.alias === spec.alias) await kernel.links.change(link.index, { alias: '' });
  };
  return {
    name: 'network.LinkAliasSpecController',
    inputs: [{ definition: LinkAliasSpec, kind: 'strong' }],
    outputs: [],
    wakes: [onKernelChange(kernel, 'link')],
    reconcile: async (context) => {
      const all = context.list(LinkAliasSpec);
      const running = all.filter(({ metadata }) => metadata.phase === 'running');
      const leaving = all.filter(({ metadata }) => metadata.phase !== 'running');
      // An alias that moves is never that of two links.
      for (const resource of leaving) {
        if (await attempts.run(context, resource, () => clearAlias(resource)))
          context.release(LinkAliasSpec, resource.metadata.id);
      }
      for (const resource of running) {
        context.hold(LinkAliasSpec, resource.metadata.id);
        await attempts.run(context, resource, () => setAlias(resource, context));
      }
    },
  };
}
