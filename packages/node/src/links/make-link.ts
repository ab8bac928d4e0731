import { BloomeryError, type Clock, type Logger } from '@bloomery/ports';
import type { Kernel, LinkChange } from '../kernel/kernel.ts';
import { refusalErrno } from '../kernel/kernel-error.ts';
import type { WireguardState } from '../kernel/kernel-wireguard.ts';
import { madeLink } from '../kernel/made-here.ts';
import { createPatience } from '../layers/index.ts';
import type { LinkSpec } from '../resources/links.ts';
import type { HostLookUps } from './host-look-ups.ts';
import { type LinkPlanning, type LinkStep, planLeaving, planLink, presentLink } from './plan-link.ts';
import { resolveEndpoints } from './resolve-endpoints.ts';
import { wireguardPatch } from './wireguard-patch.ts';

/** More steps than any link needs. */
const STEPS_MAX = 40;

export interface LinkMaking {
  readonly kernel: Pick<Kernel, 'view' | 'links' | 'wireguard' | 'entries'>;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly hosts: Pick<HostLookUps, 'ask'>;
  /** Called after a WireGuard device was told something: the kernel sends no message of it. */
  readonly wireguardChanged: () => void;
}

/** What is known of the specs of all links. */
export type LinkSpecs = Pick<LinkPlanning, 'isOurs' | 'staying'>;

/** Makes links as their specs say, and takes them away. */
export interface LinkMaker {
  /**
   * @returns what the link still waits for, if anything
   * @throws BloomeryError what was refused, and by whom
   */
  make(spec: LinkSpec, specs: LinkSpecs, log: Logger): Promise<string | undefined>;
  take(spec: LinkSpec, specs: LinkSpecs, log: Logger): Promise<void>;
}

/**
 * One that does a step at a time, each decided by what the kernel tells after the one before. A kernel that has not told yet is not
 * asked twice for the same: its message brings the next pass.
 */
export function createLinkMaker(making: LinkMaking): LinkMaker {
  const { kernel, clock } = making;
  const patience = createPatience(STEPS_MAX);

  const doSteps = async (spec: LinkSpec, plan: () => LinkStep, log: Logger): Promise<LinkStep> => {
    const { name } = spec;
    for (let last: string | undefined; ; ) {
      const step = plan();
      if (step.do === 'nothing' || step.do === 'wait') {
        patience.rest(name);
        return step;
      }
      if (step.do === 'refuse')
        throw new BloomeryError('BLM_NODE_LINK_REFUSED', step.reason, { facts: { link: name } });
      const text = JSON.stringify(step);
      if (text === last) return step;
      last = text;
      await doStep(step, kernel);
      log[step.do === 'change' ? 'debug' : 'info']('link.step', { link: name, ...step });
      patience.spend(name, clock.nowMs(), `making link ${name}, ${text}`);
    }
  };

  return {
    make: async (spec, specs, log) => {
      let waiting: string | undefined;
      let step: LinkStep;
      try {
        step = await doSteps(spec, () => planLink(spec, { view: kernel.view, ...specs }), log);
      } finally {
        // Whatever of the link was refused, its peers are told what they need.
        if (spec.kind === 'wireguard') waiting = await setUpWireguard(spec, making, log);
      }
      return step.do === 'wait' ? step.reason : waiting;
    },
    take: async (spec, specs, log) => {
      const isMade = (index: number): boolean => madeLink(kernel, index);
      await doSteps(spec, () => planLeaving(spec, { view: kernel.view, ...specs, isMade }), log);
      patience.forget(spec.name);
    },
  };
}

async function doStep(step: LinkStep, { links, wireguard }: LinkMaking['kernel']): Promise<void> {
  if (step.do === 'create') await links.create(step.link);
  else if (step.do === 'createWireguard') await wireguard.create(step.name);
  else if (step.do === 'remove') await links.remove(step.index);
  else if (step.do === 'change') await changeLink(step.index, step.change, links);
}

/** Some cards change their address only while they are down. */
async function changeLink(index: number, change: LinkChange, links: LinkMaking['kernel']['links']): Promise<void> {
  try {
    await links.change(index, change);
  } catch (error) {
    if (change.hardwareAddr === undefined || refusalErrno(error) !== 'EBUSY') throw error;
    await links.change(index, { up: false });
    await links.change(index, change);
  }
}

const readWireguard = (
  spec: LinkSpec,
  { view, wireguard }: LinkMaking['kernel'],
): Promise<WireguardState | undefined> => wireguard.read(presentLink(spec, view)?.name ?? spec.name);

/**
 * Also while a name of a peer cannot be looked up: the other peers are told what they need. Keys are never logged.
 *
 * @returns what it still waits for
 */
async function setUpWireguard(spec: LinkSpec, making: LinkMaking, log: Logger): Promise<string | undefined> {
  const { kernel, hosts, wireguardChanged } = making;
  const present = await readWireguard(spec, kernel);
  if (present === undefined) return undefined;
  const { wireguard, problem, waiting } = resolveEndpoints(spec.wireguard, present, hosts.ask);
  const patch = wireguardPatch(present, wireguard);
  if (patch !== undefined) {
    await kernel.wireguard.configure(spec.name, patch);
    log.info('link.wireguard', { link: spec.name, peersTold: patch.peers.length, peers: wireguard.peers.length });
    wireguardChanged();
  }
  if (problem !== undefined) throw new BloomeryError('BLM_NODE_LINK_REFUSED', problem, { retryable: true });
  return waiting;
}
