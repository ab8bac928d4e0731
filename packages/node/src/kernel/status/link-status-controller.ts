import type { Controller } from '@bloomery/cosi';
import { LinkRefresh, LinkStatus } from '../../resources/links.ts';
import type { Kernel, KernelLink } from '../kernel.ts';
import { otherEnd } from '../other-end.ts';
import { deltaController } from './delta-controller.ts';
import { linkStatusSpec } from './link-status-spec.ts';

/** Links as the kernel, sysfs and ethtool show them: id is the kernel's name. */
export function linkStatusController(kernel: Kernel): Controller {
  let generation = 0;
  return deltaController({
    name: 'network.LinkStatusController',
    definition: LinkStatus,
    kernel,
    all: (view) => [...view.links.keys()].map(String),
    touchedBy: (change, view) => {
      if (change.of === 'link') return touchedLinks(change.link).map(String);
      if (change.of !== 'ethtool') return [];
      return change.linkIndex === 0 ? [...view.links.keys()].map(String) : [String(change.linkIndex)];
    },
    show: async (key, view) => {
      const link = view.links.get(Number(key));
      if (link === undefined) return undefined;
      const details = await kernel.linkDetails(link);
      // A device that is just being removed, or a module that is not there, must not hide the link.
      const wireguard =
        link.kind === 'wireguard' ? await kernel.wireguard.read(link.name).catch(() => undefined) : undefined;
      const spec = linkStatusSpec(link, details, wireguard);
      return {
        id: link.name,
        spec: link.kind === 'veth' ? { ...spec, veth: { peerName: otherEnd(link, view.links)?.name ?? '' } } : spec,
      };
    },
    // The kernel sends no message when the peers of a WireGuard device change.
    inputs: [{ definition: LinkRefresh, kind: 'weak' }],
    touchedByInputs: (context, view) => {
      const now = context.list(LinkRefresh).reduce((sum, { spec }) => sum + spec.generation, 0);
      if (now === generation) return [];
      generation = now;
      return [...view.links.values()].filter(({ kind }) => kind === 'wireguard').map(({ index }) => String(index));
    },
  });
}

/** The other end of a pair shows this one's name. */
function touchedLinks({ index, kind, linkIndex }: KernelLink): readonly number[] {
  return kind === 'veth' ? [index, linkIndex] : [index];
}
