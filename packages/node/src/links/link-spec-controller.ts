import type { Controller, ReconcileContext, WakeSource } from '@bloomery/cosi';
import { onKernelChange } from '../kernel/on-kernel-change.ts';
import { type Attempts, createAttempts, type Problems } from '../layers/index.ts';
import type { NodeEnvironment } from '../node-environment.ts';
import { LinkRefresh, LinkSpec } from '../resources/links.ts';
import { DevicesStatus } from '../resources/runtime.ts';
import { createHostLookUps, type LookUpHost } from './host-look-ups.ts';
import { inLinkOrder } from './link-order.ts';
import { createLinkMaker } from './make-link.ts';

/** Id of the resource that says whether links have their names; and of the one that says that WireGuard changed. */
const DEVICES = 'devices';
const WIREGUARD = 'wireguard';

/**
 * Makes links as the merged specs say: those that go first, then masters before their members. It holds a finalizer on each from before
 * it touches the kernel. Nothing is touched before the links have their names. What the kernel refuses for one link is its problem and
 * tried again; the others go on.
 */
export function linkSpecController(
  { kernel, clock, random }: Pick<NodeEnvironment, 'kernel' | 'clock' | 'random'>,
  problems: Problems,
  lookUpHost: LookUpHost,
): Controller {
  const attempts = createAttempts({ definition: LinkSpec, problems, random });
  const hosts = createHostLookUps(lookUpHost, clock);
  let generation = 0;
  let refresh = false;
  const maker = createLinkMaker({
    kernel,
    clock,
    hosts,
    wireguardChanged: () => {
      refresh = true;
    },
  });

  const reconcile = async (context: ReconcileContext): Promise<void> => {
    if (context.get(DevicesStatus, DEVICES)?.spec.ready !== true) return;
    const all = inLinkOrder(context.list(LinkSpec));
    const running = all.filter(({ metadata }) => metadata.phase === 'running');
    const names = new Set(all.map(({ spec }) => spec.name));
    const specs = { isOurs: (name: string) => names.has(name), staying: running.map(({ spec }) => spec) };
    for (const { metadata } of running) context.hold(LinkSpec, metadata.id);
    for (const resource of all) {
      if (context.signal.aborted) return;
      const { metadata, spec } = resource;
      if (metadata.phase === 'running') {
        await attempts.run(context, resource, () => maker.make(spec, specs, context.log));
      } else if (await attempts.run(context, resource, () => maker.take(spec, specs, context.log))) {
        context.release(LinkSpec, metadata.id);
      }
    }
    if (!refresh) return;
    refresh = false;
    context.put(LinkRefresh, WIREGUARD, { generation: ++generation });
  };

  return {
    name: 'network.LinkSpecController',
    inputs: [
      { definition: LinkSpec, kind: 'strong' },
      { definition: DevicesStatus, id: DEVICES, kind: 'weak' },
    ],
    outputs: [{ definition: LinkRefresh, kind: 'exclusive' }],
    wakes: [onKernelChange(kernel, 'link'), hastening(hosts, attempts)],
    reconcile,
  };
}

/** What was refused for want of an answer is tried again as soon as it is there. */
const hastening = (source: WakeSource, attempts: Pick<Attempts<LinkSpec>, 'hasten'>): WakeSource => ({
  listen: (wake) =>
    source.listen(() => {
      attempts.hasten();
      wake();
    }),
});
