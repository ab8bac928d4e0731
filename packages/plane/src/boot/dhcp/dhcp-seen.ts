import type { EventRecorder, ObjectCache } from '@bloomery/kube';
import { type Server, server } from '@bloomery/model';
import type { BootMarks } from '../boot-marks.ts';
import type { BootSessions } from '../boot-sessions.ts';
import type { ServerName } from '../ipxe-route.ts';
import type { DhcpClient } from './dhcp-client.ts';

/** What happens when a machine asks for a network boot. */
export interface DhcpSeenDeps {
  readonly cache: ObjectCache;
  readonly events: EventRecorder;
  readonly marks: BootMarks;
  readonly sessions: Pick<BootSessions, 'expectSeen'>;
  /** The same identity mapping as everywhere: machines that share a UUID are told apart by their cards. */
  readonly serverName: ServerName;
}

/** Expect the boot of a machine that the DHCP proxy answered, and mark it on its timeline. */
export function createDhcpSeen({
  cache,
  events,
  marks,
  sessions,
  serverName,
}: DhcpSeenDeps): (client: DhcpClient, file: string, port: 67 | 4011) => void {
  return (client, file, port) => {
    const known = client.guid === undefined ? undefined : findServer(cache, serverName, client.guid, client.mac);
    const name = known?.metadata.name;
    sessions.expectSeen(client.mac, name);
    const about = { mac: client.mac, ...(name === undefined ? {} : { server: name }) };
    const facts = { kind: client.kind, file, ...(client.arch === undefined ? {} : { arch: client.arch }) };
    if (port === 4011) {
      const summary = `asked for its boot file: ${file}`;
      marks.mark({ about, stage: 'Requested', severity: 'info', event: 'BootRequested', summary, facts });
      return;
    }
    marks.mark({
      about,
      stage: 'Discover',
      severity: 'info',
      event: 'DhcpSeen',
      summary: `DHCP from ${client.mac} (${client.kind})`,
      facts,
    });
    const fresh = marks.mark({
      about,
      stage: 'Offered',
      severity: 'info',
      event: 'BootOffered',
      summary: `offered ${file}`,
      facts,
    });
    if (fresh && known !== undefined) {
      events.record(known, { type: 'Normal', reason: 'BootOffered', message: `Offered ${file} to ${client.mac}.` });
    }
  };
}

/** The Server whose UUID option 97 carries, in the byte order of SMBIOS or, as some firmware has it, straight. */
function findServer(cache: ObjectCache, serverName: ServerName, guid: Uint8Array, mac: string): Server | undefined {
  const straight = Buffer.from(guid);
  const mixed = Buffer.concat([
    straight.subarray(0, 4).toReversed(),
    straight.subarray(4, 6).toReversed(),
    straight.subarray(6, 8).toReversed(),
    straight.subarray(8),
  ]);
  for (const order of [mixed, straight]) {
    const name = serverName(uuidText(order), mac, '');
    const found = name === undefined ? undefined : cache.get(server, { name });
    if (found !== undefined) return found;
  }
  return undefined;
}

function uuidText(bytes: Buffer): string {
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
