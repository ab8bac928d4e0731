import { writeFile } from 'node:fs/promises';
import { hostname, networkInterfaces } from 'node:os';
import { mustRun, type RunProgram, readInventory, readText } from '@bloomery/agent';
import { BloomeryError, type Clock, type Logger } from '@bloomery/ports';
import type { StandInConfig } from './machine-config.ts';

const DRIVER_WAIT_MS = 20_000;

/** The first interface with hardware behind it, waiting for its driver. @throws BloomeryError BLM_AGENT_LINK_MISSING */
export async function firstInterface(clock: Clock): Promise<{ readonly name: string; readonly mac: string }> {
  const until = clock.nowMs() + DRIVER_WAIT_MS;
  do {
    for (const { name, mac } of (await readInventory()).links) {
      if (mac !== '' && (await readText(`/sys/class/net/${name}/device/uevent`)) !== undefined) return { name, mac };
    }
    await clock.sleep(200);
  } while (clock.nowMs() < until);
  throw new BloomeryError('BLM_AGENT_LINK_MISSING', 'looking for a network interface: there is none');
}

/** Set host name and addresses. @throws BloomeryError BLM_AGENT_LINK_MISSING */
export async function applyNetworkConfig(
  { hostname: wanted, addresses }: Pick<StandInConfig, 'hostname' | 'addresses'>,
  defaultInterface: string,
  { run, log }: { readonly run: RunProgram; readonly log: Logger },
): Promise<void> {
  if (wanted !== undefined) await writeFile('/proc/sys/kernel/hostname', wanted);
  for (const { interfaceName, cidr } of addresses) {
    const name = interfaceName === '' ? defaultInterface : interfaceName;
    await mustRun(run, 'BLM_AGENT_LINK_MISSING', ['ip', 'address', 'replace', cidr, 'dev', name]);
  }
  log.info('config.applied', { hostname: hostname(), addresses: addresses.map((entry) => entry.cidr) });
}

/** The host name; empty while there is none. */
export function currentHostname(): string {
  return hostname().replace('(none)', '');
}

/** Addresses that mean something beyond one cable, the one on the link among them. */
export function globalAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((entries) => entries ?? [])
    .filter((entry) => !entry.internal && !/^(fe[89ab]|169\.254\.|127\.)/i.test(entry.address))
    .map((entry) => entry.address);
}

/** Addresses of one interface by which the machine is known: the given ones first. Those of one cable only are left out. */
export function addressesOf(interfaceName: string, first: readonly string[]): string[] {
  const own = (networkInterfaces()[interfaceName] ?? [])
    .map((entry) => entry.address)
    .filter((address) => !/^(fe[89ab]|169\.254\.)/i.test(address));
  return [...new Set([...first.filter((address) => own.includes(address)), ...own])];
}
