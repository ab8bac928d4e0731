import { type JsonObject, server } from '@bloomery/model';
import type { Session } from '../session.ts';
import { changeServers, chooseServers, type ServersOptions } from './change-servers.ts';

/** Options of commands that set a switch of servers. */
export interface AcceptOptions extends ServersOptions {
  readonly dryRun?: boolean;
}

interface Switch {
  readonly field: 'accepted' | 'cordoned';
  readonly to: boolean;
  readonly done: string;
}

const SWITCHES = {
  accept: { field: 'accepted', to: true, done: 'accepted' },
  cordon: { field: 'cordoned', to: true, done: 'cordoned' },
  uncordon: { field: 'cordoned', to: false, done: 'uncordoned' },
} as const satisfies Record<string, Switch>;

/** `bloomery accept|cordon|uncordon SERVER…`: sets one field of spec. */
export async function setSwitch(
  session: Session,
  verb: keyof typeof SWITCHES,
  names: readonly string[],
  options: AcceptOptions,
): Promise<void> {
  const { field, to, done }: Switch = SWITCHES[verb];
  const servers = await chooseServers(session, names, options);
  await changeServers(session, servers, async ({ metadata: { name }, spec }) => {
    if ((spec?.[field] ?? false) === to) return `already ${done}`;
    const body: JsonObject = { spec: { [field]: to } };
    const dryRun = options.dryRun === true;
    await session.client.patch(server, { name }, { type: 'merge', body }, { dryRun });
    return dryRun ? `${done} (dry run)` : done;
  });
}
