import type { Controller, ReconcileContext } from '@bloomery/cosi';
import { BloomeryError, errorText, type Logger } from '@bloomery/ports';
import { type KernelArguments, parseKernelArguments } from '../cmdline/kernel-arguments.ts';
import type { Kernel, KernelLink } from '../kernel/kernel.ts';
import { refusalErrno } from '../kernel/kernel-error.ts';
import { onKernelChange } from '../kernel/on-kernel-change.ts';
import type { NodeEnvironment } from '../node-environment.ts';
import { DevicesStatus } from '../resources/runtime.ts';
import { alternativeNames, chooseName } from './choose-name.ts';
import { deviceAt, parseUnsigned } from './device.ts';
import { DEFAULT_NAMING_SCHEME, type NamingScheme, parseNamingScheme } from './naming-scheme.ts';
import { predictableNames } from './predictable-names.ts';
import type { SysfsReader } from './sysfs.ts';

/** Id of the one resource that says whether links have their names. */
export const DEVICES = 'devices';

const IFF_UP = 1;

export interface DevicesOptions {
  readonly sysfs: SysfsReader;
  /** Of NET_NAMING_SCHEME: wins over the kernel argument. */
  readonly namingScheme?: string;
}

/**
 * Gives links their predictable names, and says when those that were there at the start have theirs: nobody touches links before. Links
 * that come later are named as they come, each once. Without `manageAll` it changes no link.
 */
export function devicesController(
  { kernel, settings }: Pick<NodeEnvironment, 'kernel' | 'settings'>,
  { sysfs, namingScheme }: DevicesOptions,
): Controller {
  const given = parseKernelArguments(settings.cmdline);
  const isEnabled = areNamesPredictable(given);
  const scheme = schemeOf(namingScheme ?? given.last('net.naming_scheme'));
  /** Indexes of the links that have been looked at: bounded by the links that there are. */
  const seen = new Set<number>();

  const name = async (link: KernelLink, log: Logger): Promise<void> => {
    const syspath = `class/net/${link.name}`;
    const names = predictableNames(sysfs, syspath, scheme);
    const device = deviceAt(sysfs, syspath);
    const number = (attribute: string): number | undefined => parseUnsigned(device?.attribute(attribute));
    const type = number('name_assign_type');
    if ((number('ifindex') ?? link.index) !== link.index) throw renamedMeanwhile(link);
    const choice = chooseName(names, type, isEnabled);
    const isRenamed = choice.do === 'rename' && choice.name !== link.name;
    if (isRenamed) {
      await rename(kernel, link, choice.name);
      log.info('link.renamed', { link: choice.name, from: link.name, names });
    }
    const now = choice.do === 'rename' ? choice.name : link.name;
    // What configurations call it goes on to work.
    const others = [...alternativeNames(names, now), ...(isRenamed ? [link.name] : [])];
    for (const other of others) if (!link.altNames.includes(other)) await addName(kernel, link, other, log);
  };

  const reconcile = async (context: ReconcileContext): Promise<void> => {
    const failures: unknown[] = [];
    if (settings.manageAll) {
      const { links } = kernel.view;
      for (const index of seen) if (!links.has(index)) seen.delete(index);
      for (const link of [...links.values()]) {
        if (seen.has(link.index)) continue;
        if (context.signal.aborted) return;
        try {
          await name(link, context.log);
          seen.add(link.index);
        } catch (error) {
          failures.push(error);
        }
      }
    }
    // A link that keeps its name for now holds up none of the others.
    context.put(DevicesStatus, DEVICES, { ready: true });
    if (failures.length > 0) throw notAll(failures);
  };

  return {
    name: 'runtime.DevicesStatusController',
    inputs: [],
    outputs: [{ definition: DevicesStatus, kind: 'exclusive' }],
    wakes: settings.manageAll ? [onKernelChange(kernel, 'link')] : [],
    reconcile,
  };
}

/** Kernels before 6.2 rename no link that is up. */
async function rename(kernel: Kernel, { index, flags }: KernelLink, name: string): Promise<void> {
  try {
    await kernel.links.change(index, { name });
  } catch (error) {
    if (refusalErrno(error) !== 'EBUSY' || (flags & IFF_UP) === 0) throw error;
    await kernel.links.change(index, { up: false });
    await kernel.links.change(index, { name }).finally(() => kernel.links.change(index, { up: true }));
  }
}

/** A further name may belong to another link: two ports of a card can share an address. */
async function addName(kernel: Kernel, { index }: KernelLink, name: string, log: Logger): Promise<void> {
  try {
    await kernel.links.change(index, { addAltNames: [name] });
  } catch (error) {
    if (refusalErrno(error) !== 'EEXIST') throw error;
    log.debug('link.name-taken', { index, name });
  }
}

const areNamesPredictable = (given: KernelArguments): boolean =>
  !/^(?:0|no|n|false|f|off)$/i.test(given.last('net.ifnames') ?? '');

const schemeOf = (text: string | undefined): NamingScheme => parseNamingScheme(text ?? '') ?? DEFAULT_NAMING_SCHEME;

/** By others: what was read is of the link that has this name now. The kernel's message of it brings the next pass. */
function renamedMeanwhile({ name, index }: KernelLink): BloomeryError {
  const message = `naming ${name}: link ${index} is not called so any more`;
  return new BloomeryError('BLM_KERNEL_REFUSED', message, { retryable: true });
}

function notAll(failures: readonly unknown[]): BloomeryError {
  const message = failures.map(errorText).join('; ');
  return new BloomeryError('BLM_KERNEL_REFUSED', message, { retryable: true, cause: failures[0] });
}
