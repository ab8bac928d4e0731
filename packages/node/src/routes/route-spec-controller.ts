import type { Controller } from '@bloomery/cosi';
import { BloomeryError, errorText, type Logger } from '@bloomery/ports';
import { findLink } from '../kernel/find-link.ts';
import type { Kernel, KernelRoute } from '../kernel/kernel.ts';
import { refusalErrno } from '../kernel/kernel-error.ts';
import { routePlace } from '../kernel/kernel-keys.ts';
import { madeRoute } from '../kernel/made-here.ts';
import { applySpecs, createAttempts, createPatience, type Patience, type Problems } from '../layers/index.ts';
import type { NodeEnvironment } from '../node-environment.ts';
import { AddressSpec } from '../resources/addresses.ts';
import { RouteSpec } from '../resources/routes.ts';
import { awaitedAddress } from './awaited-address.ts';
import { kernelRoute, planRoute, presentRoutes, routeText } from './plan-route.ts';
import { routeId } from './route-id.ts';

type Deps = Pick<NodeEnvironment, 'kernel' | 'random'>;

/** What is worked with in one pass. */
interface Work {
  readonly kernel: Kernel;
  /** Index of the link that each spec's route was put on, by the id of the spec. */
  readonly placed: Map<string, number>;
  readonly patience: Patience;
  readonly nowMs: number;
  readonly log: Logger;
}

/** What the kernel says of a route that is already gone. */
const GONE: ReadonlySet<string | undefined> = new Set(['ESRCH', 'ENOENT', 'ENODEV']);

/**
 * Puts the merged routes into the kernel, then takes away those that go; those that have to make room go first. A route waits until its
 * link is there and up; one whose gateway cannot be reached is tried again as soon as a link or an address changes, a route on a link
 * appears, or any route goes.
 */
export function routeSpecController({ kernel, random }: Deps, problems: Problems): Controller {
  const attempts = createAttempts({ definition: RouteSpec, problems, random });
  const placed = new Map<string, number>();
  const patience = createPatience();
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
            // An address, a link, a way to its gateway, or room that another route leaves, may be what a refused route needs.
            if (change.of === 'link' || change.of === 'address') attempts.hasten();
            if (change.of === 'route' && (change.gone || change.route.gateway === '')) attempts.hasten(true);
            if (change.of !== 'rule' && change.of !== 'ethtool') wake();
          }),
      },
    ],
    reconcile: async (context) => {
      const addresses = context.list(AddressSpec).map(({ spec }) => spec);
      const work: Work = { kernel, placed, patience, nowMs: context.clock.nowMs(), log: context.log };
      await applySpecs(context, {
        definition: RouteSpec,
        attempts,
        problems,
        waitsFor: (spec) => reasonToWait(spec, addresses, kernel),
        bringAbout: (spec) => bringAbout(spec, work),
        takeAway: (spec, staying) => takeAway(spec, staying, work),
        inTheWay,
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

/** Of one place there can be one route: the old one makes room. */
function inTheWay(leaving: readonly RouteSpec[], staying: readonly RouteSpec[]): Set<RouteSpec> {
  const place = (spec: RouteSpec): string => routePlace(kernelRoute(spec, 0));
  const wanted = new Set(staying.map(place));
  return new Set(leaving.filter((spec) => wanted.has(place(spec))));
}

async function bringAbout(spec: RouteSpec, { kernel, placed, patience, nowMs, log }: Work): Promise<void> {
  const plan = planRoute(spec, kernel.view, placed.get(routeId(spec)));
  const index = findLink(kernel.view, spec.outLinkName)?.index;
  if (index !== undefined && plan.do === 'nothing') placed.set(routeId(spec), index);
  if (plan.do !== 'put') return patience.rest(routeId(spec));
  for (const route of plan.remove) await removeRoute(route, kernel);
  await kernel.routes.put(plan.route).catch((error: unknown) => {
    throw collision(error, spec, plan.route, kernel);
  });
  placed.set(routeId(spec), plan.route.outLinkIndex);
  log.info('route.created', { route: routeText(spec), layer: spec.layer, replaced: plan.remove.length > 0 });
  patience.spend(routeId(spec), nowMs, `adding route ${routeText(spec)}`);
}

async function takeAway(spec: RouteSpec, staying: readonly RouteSpec[], work: Work): Promise<void> {
  const { kernel, placed, patience, log } = work;
  patience.forget(routeId(spec));
  for (const route of presentRoutes(spec, kernel.view, placed.get(routeId(spec)))) {
    // What was there before the daemon stays.
    if (!madeRoute(kernel, route) || isWanted(route, staying, kernel)) continue;
    await removeRoute(route, kernel);
    log.info('route.removed', { route: routeText(spec), layer: spec.layer });
  }
  placed.delete(routeId(spec));
}

/** Whether another spec has it there, under another name of the link. */
function isWanted(route: KernelRoute, staying: readonly RouteSpec[], { view }: Kernel): boolean {
  return staying.some(
    (spec) =>
      spec.gateway === route.gateway &&
      spec.priority === route.priority &&
      findLink(view, spec.outLinkName)?.index === route.outLinkIndex &&
      routePlace(kernelRoute(spec, 0)) === routePlace(route),
  );
}

async function removeRoute(route: KernelRoute, kernel: Kernel): Promise<void> {
  await kernel.routes.remove(route).catch((error: unknown) => {
    if (!GONE.has(refusalErrno(error))) throw error;
  });
}

/** Two routes to the same destination need different metrics: say so, and name the other one. */
function collision(error: unknown, spec: RouteSpec, route: KernelRoute, { view }: Kernel): unknown {
  if (!(error instanceof BloomeryError) || refusalErrno(error) !== 'EEXIST') return error;
  const [other] = view.routesAt(routePlace(route));
  if (other === undefined) return error;
  const via = other.gateway === '' ? '' : ` via ${other.gateway}`;
  const on = view.links.get(other.outLinkIndex)?.name ?? `link ${other.outLinkIndex}`;
  const hint = `a route to the same destination${via} on ${on} has metric ${other.priority}, too: give this one another`;
  const message = `${errorText(error)}: ${hint} (${routeText(spec)})`;
  return new BloomeryError(error.code, message, { retryable: true, facts: error.facts, cause: error });
}
