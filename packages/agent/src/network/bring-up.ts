import { writeFile } from 'node:fs/promises';
import { BloomeryError, type Clock, type Logger } from '@bloomery/ports';
import { listNames, mustRun, type RunProgram, readText } from '../machine.ts';
import { type Lease, parseLease } from './lease.ts';
import { planNetwork, resolverFile } from './plan-network.ts';

export interface NetworkDeps {
  readonly run: RunProgram;
  readonly clock: Clock;
  readonly log: Logger;
}

const LINK_WAIT_MS = 60_000;
const DHCP_OVERALL_MS = 300_000;
const DHCP_ATTEMPT_MS = 30_000;
const DHCP_PAUSE_MS = 10_000;
const LEASE_FILE = '/run/lease';
const SCRIPT = '/etc/udhcpc.sh';

/**
 * Bring up the link with this MAC and take an address over DHCP on it, and on no other.
 * @throws BloomeryError BLM_AGENT_LINK_MISSING after one minute, BLM_AGENT_DHCP_FAILED after five.
 */
export async function bringUpNetwork(mac: string, deps: NetworkDeps): Promise<Lease> {
  const link = await waitForLink(mac, deps);
  await mustRun(deps.run, 'BLM_AGENT_LINK_MISSING', ['ip', 'link', 'set', 'dev', link, 'up']);
  const lease = await waitForLease(link, deps);
  for (const { args, optional } of planNetwork(link, lease)) {
    if (optional) await deps.run('ip', args);
    else await mustRun(deps.run, 'BLM_AGENT_DHCP_FAILED', ['ip', ...args]);
  }
  await writeFile('/etc/resolv.conf', resolverFile(lease));
  if (lease.hostname !== undefined) await writeFile('/proc/sys/kernel/hostname', lease.hostname);
  deps.log.info('network.up', { link, mac, address: lease.address, routes: lease.routes.length });
  return lease;
}

async function waitForLink(mac: string, { clock }: NetworkDeps): Promise<string> {
  const end = clock.nowMs() + LINK_WAIT_MS;
  do {
    for (const name of await listNames('/sys/class/net')) {
      const address = await readText(`/sys/class/net/${name}/address`);
      if (address?.trim().toLowerCase() === mac) return name;
    }
    await clock.sleep(100);
  } while (clock.nowMs() < end);
  const names = (await listNames('/sys/class/net')).join(', ');
  throw new BloomeryError('BLM_AGENT_LINK_MISSING', `waiting 60 s for the interface ${mac}: there are only ${names}`);
}

async function waitForLease(link: string, { run, clock, log }: NetworkDeps): Promise<Lease> {
  const end = clock.nowMs() + DHCP_OVERALL_MS;
  do {
    // The lease file's name travels through env(1), because udhcpc hands its environment to the script.
    const client = ['udhcpc', '-i', link, '-n', '-q', '-f', '-t', '9', '-T', '3', '-s', SCRIPT];
    const options = ['-O', 'staticroutes', '-O', 'mtu', '-O', 'hostname', '-O', 'dns'];
    await run('env', [`LEASE_FILE=${LEASE_FILE}`, ...client, ...options], DHCP_ATTEMPT_MS);
    const lease = parseLease((await readText(LEASE_FILE)) ?? '');
    if (lease !== undefined) return lease;
    log.warn('dhcp.nothing', { link });
    await clock.sleep(DHCP_PAUSE_MS);
  } while (clock.nowMs() < end);
  throw new BloomeryError('BLM_AGENT_DHCP_FAILED', `asking for an address on ${link}: no answer in 300 s`);
}
