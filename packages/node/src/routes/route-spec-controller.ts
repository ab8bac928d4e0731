import type { Controller } from '@bloomery/cosi';
import { BloomeryError, errorText, type Logger } from '@bloomery/ports';
import type { Kernel, KernelRoute } from '../kernel/kernel.ts';
import { refusalErrno } from '../kernel/kernel-error.ts';
import { routePlace } from '../kernel/kernel-keys.ts';
import { madeRoute } from '../kernel/made-here.ts';
import { applySpecs, createAttempts, type Problems } from '../layers/index.ts';
import type { NodeEnvironment } from '../node-environment.ts';
import { AddressSpec } from '../resources/addresses.ts';
import { RouteSpec } from '../resources/routes.ts';
import { awaitedAddress } from './awaited-address.ts';
import { planRoute, presentRoutes, routeText } from './plan-route.ts';

type Deps = Pick<NodeEnvironment, 'kernel' | 'random'>;

/** What the kernel says of a route that is already gone. */
const GONE: ReadonlySet<string | undefined> = new Set(['ESRCH', 'ENOENT', 'ENODEV']);

/**
 * Puts the merged routes into the kernel, and takes away those that go. A route waits until its link is there and up; one whose gateway
 * cannot be reached is tried again as soon as a link or an address changes, or another route goes.
 */
export function routeSpecController({ kernel, random }: Deps, problems: Problems): Controller {
  const attempts = createAttempts({ definition: RouteSpec, problems, random });
  return {
    name: 'network.RouteSpecController',
    inputs: [
      { definition: RouteSpec, kind: 'strong' },
      { definition: AddressSpec, kind: 'weak' },
    ],
    outputs: [],
    wakes: [
      {
        listen: (wake) =>
          kernel.listen((change) => {
            // An address, a link, or room that another route leaves, may be what a refused route needs.
            if (change.of === 'link' || change.of === 'address' || (change.of === 'route' && change.gone))
              attempts.hasten();
            if (change.of !== 'rule' && change.of !== 'ethtool') wake();
          }),
      },
    ],
    reconcile: async (context) => {
      const addresses = context.list(AddressSpec).map(({ spec }) => spec);
      await applySpecs(context, {
        definition: RouteSpec,
        attempts,
        problems,
        waitsFor: (spec) => reasonToWait(spec, addresses, kernel),
        bringAbout: (spec) => bringAbout(spec, kernel, context.log),
        takeAway: (spec) => takeAway(spec, kernel, context.log),
      });
    },
  };
}

function reasonToWait(spec: RouteSpec, addresses: readonly AddressSpec[], { view }: Kernel): string | undefined {
  const plan = planRoute(spec, view);
  if (plan.do === 'nothing') return undefined;
  if (plan.do === 'put') {
    const address = awaitedAddress(spec, addresses, view);
    return address === undefined ? undefined : `waits for address ${address}, which is not there yet`;
  }
  const link = `waits for link ${spec.outLinkName}`;
  return plan.reason === 'LinkMissing' ? `${link}: there is none of this name` : `${link}: it is down`;
}

async function bringAbout(spec: RouteSpec, kernel: Kernel, log: Logger): Promise<void> {
  const plan = planRoute(spec, kernel.view);
  if (plan.do !== 'put') return;
  for (const route of plan.remove) await removeRoute(route, kernel);
  await kernel.routes.put(plan.route).catch((error: unknown) => {
    throw inTheWay(error, spec, plan.route, kernel);
  });
  log.info('route.created', { route: routeText(spec), layer: spec.layer, replaced: plan.remove.length > 0 });
}

async function takeAway(spec: RouteSpec, kernel: Kernel, log: Logger): Promise<void> {
  for (const route of presentRoutes(spec, kernel.view)) {
    // What was there before the daemon stays.
    if (!madeRoute(kernel, route)) continue;
    await removeRoute(route, kernel);
    log.info('route.removed', { route: routeText(spec), layer: spec.layer });
  }
}

async function removeRoute(route: KernelRoute, kernel: Kernel): Promise<void> {
  await kernel.routes.remove(route).catch((error: unknown) => {
    if (!GONE.has(refusalErrno(error))) throw error;
  });
}

/** Two routes to the same destination need different metrics: say so, and name the other one. */
function inTheWay(error: unknown, spec: RouteSpec, route: KernelRoute, { view }: Kernel): unknown {
  if (!(error instanceof BloomeryError) || refusalErrno(error) !== 'EEXIST') return error;
  const [other] = view.routesAt(routePlace(route));
  if (other === undefined) return error;
  const via = other.gateway === '' ? '' : ` via ${other.gateway}`;
  const on = view.links.get(other.outLinkIndex)?.name ?? `link ${other.outLinkIndex}`;
  const hint = `a route to the same destination${via} on ${on} has metric ${other.priority}, too: give this one another`;
  const message = `${errorText(error)}: ${hint} (${routeText(spec)})`;
  return new BloomeryError(error.code, message, { retryable: true, facts: error.facts, cause: error });
}
