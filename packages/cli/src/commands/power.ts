import type { Server } from '@bloomery/model';
import type { PowerClient, PxeMode } from '@bloomery/plane';
import { BloomeryError, silentLog } from '@bloomery/ports';
import { usageError } from '../exit-code.ts';
import { parseDuration } from '../output/age.ts';
import type { Session } from '../session.ts';
import { changeServers, chooseServers, type ServersOptions } from './change-servers.ts';

/** Options of `bloomery power`. */
export interface PowerOptions extends ServersOptions {
  readonly pxe?: boolean;
  readonly stagger?: string;
}

const ACTIONS = ['on', 'off', 'cycle', 'status'] as const;
type Action = (typeof ACTIONS)[number];

/** More machines than this are switched one after another with a pause. */
const STAGGER_ABOVE = 4;
const STAGGER_DEFAULT_MS = 2_000;

/** `bloomery power on|off|cycle|status SERVER…`: talks to the BMC from here. Only accepted servers are switched. */
export async function power(
  session: Session,
  verb: string,
  names: readonly string[],
  options: PowerOptions,
): Promise<void> {
  const action = ACTIONS.find((known) => known === verb);
  if (action === undefined) throw usageError(`power ${verb} is not one of ${ACTIONS.join(', ')}`);
  const staggerMs = options.stagger === undefined ? STAGGER_DEFAULT_MS : parseDuration(options.stagger);
  if (staggerMs === undefined) throw usageError(`--stagger ${options.stagger} is not a duration such as 2s`);
  const servers = await chooseServers(session, names, options);
  const { createPowerClients } = await import('@bloomery/plane');
  await using clients = createPowerClients({
    client: session.client,
    clock: session.deps.clock,
    log: silentLog,
    spacingMs: 0,
  });
  const pauseMs =
    action !== 'status' && (servers.length > STAGGER_ABOVE || options.stagger !== undefined) ? staggerMs : 0;
  await changeServers(session, servers, async (found) => run(action, found, await clients.of(found), options), pauseMs);
}

async function run(action: Action, found: Server, client: PowerClient, options: PowerOptions): Promise<string> {
  const { name } = found.metadata;
  if (action === 'status')
    return client.isFake ? 'unknown: it has no BMC' : (await client.isPoweredOn()) ? 'on' : 'off';
  if (found.spec?.accepted !== true) {
    throw new BloomeryError('BLM_CLI_REFUSED', `switching server ${name}: it is not accepted`, {
      facts: { try: `bloomery accept ${name}` },
    });
  }
  if (client.isFake) {
    throw new BloomeryError('BLM_CLI_REFUSED', `switching server ${name}: it has no BMC; switch it by hand`, {
      facts: { try: `kubectl edit server ${name}` },
    });
  }
  const pxeMode: PxeMode = found.spec.pxeMode === 'bios' ? 'bios' : 'uefi';
  if (options.pxe === true && action !== 'off') await client.setPxeOnce(pxeMode);
  if (action === 'on') await client.powerOn();
  else if (action === 'off') await client.powerOff();
  else if (await client.isPoweredOn()) await client.powerCycle();
  else await client.powerOn();
  return `${action === 'cycle' ? 'power cycled' : `powered ${action}`}${options.pxe === true ? ' towards the network' : ''}`;
}
