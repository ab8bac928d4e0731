import { findObject } from '@bloomery/kube';
import {
  SIDEROLINK_DEVICE_NAME,
  type SiderolinkDevice,
  type SiderolinkPeer,
  siderolinkDevice,
  siderolinkPeer,
} from '@bloomery/model';
import { BloomeryError } from '@bloomery/ports';
import { usageError } from '../exit-code.ts';
import { ageText } from '../output/age.ts';
import { bytesText } from '../output/bytes.ts';
import { dataText, type FormatOptions, formatOf } from '../output/format.ts';
import { tableText } from '../output/table.ts';
import type { Session } from '../session.ts';

const HOSTNAME_MAX = 63;
const HEADING = ['SERVER', 'HOSTNAME', 'MODE', 'STATE', 'LAST-HANDSHAKE', 'ENDPOINT', 'RX', 'TX', 'ADDRESS'];

/**
 * `bloomery siderolink [status]`: the machines on the link on standard output, the manager's own end as a note before them.
 *
 * @throws BloomeryError BLM_CLI_USAGE for another word than `status`, BLM_CLI_REFUSED where the manager keeps no link.
 */
export async function siderolink(session: Session, words: readonly string[], options: FormatOptions): Promise<void> {
  const [action = 'status', ...more] = words;
  if (action !== 'status' || more.length > 0) {
    throw usageError(`siderolink ${words.join(' ')}: only status is known`, 'bloomery siderolink status');
  }
  const format = formatOf(options);
  const device = await findObject(session.client, siderolinkDevice, { name: SIDEROLINK_DEVICE_NAME });
  if (device === undefined) throw new BloomeryError('BLM_CLI_REFUSED', 'this manager tells nothing about SideroLink');
  const { items } = await session.client.list(siderolinkPeer);
  const { stdout, stderr, clock } = session.deps;
  if (format === 'json' || format === 'yaml') {
    const value = { apiVersion: 'cli.bloomery.dev/v1', kind: siderolinkPeer.listKind, device, items };
    stdout.write(await dataText(value, format));
    return;
  }
  if (format === 'name') {
    stdout.write(
      items.map(({ metadata }) => `${siderolinkPeer.singular}.${siderolinkPeer.group}/${metadata.name}\n`).join(''),
    );
    return;
  }
  stderr.write(deviceText(device));
  if (items.length === 0) stderr.write('No machine has a link address yet.\n');
  else stdout.write(peersText(items, clock.nowMs(), format === 'wide'));
}

/** The manager's own end: a line, and when something is wrong what to do. */
export function deviceText({
  state,
  backend,
  interface: name,
  port,
  message,
  do: advice = [],
}: SiderolinkDevice): string {
  const kind = backend === 'userspace' ? 'userspace (wireguard-go)' : backend;
  const up = state === 'up' ? `  ${kind}  interface ${name}  udp :${port}` : '';
  const lines = [
    `siderolink  ${state}${up}`,
    ...(message === undefined ? [] : [`  why   ${message}`]),
    ...advice.map((line, i) => `  ${i === 0 ? 'do' : '  '}    ${line}`),
  ];
  return `${lines.join('\n')}\n`;
}

/** A machine says its name itself, and the table is everybody's. */
function shortened(hostname: string): string {
  return hostname.length <= HOSTNAME_MAX ? hostname : `${hostname.slice(0, HOSTNAME_MAX - 1)}…`;
}

function peersText(peers: readonly SiderolinkPeer[], nowMs: number, isWide: boolean): string {
  const rows = peers.map((peer) => [
    peer.metadata.name,
    shortened(peer.hostname ?? '-'),
    peer.mode ?? '-',
    peer.state ?? '-',
    ageText(peer.lastHandshake, nowMs),
    peer.endpoint ?? '-',
    bytesText(peer.receivedBytes ?? 0),
    bytesText(peer.sentBytes ?? 0),
    peer.address ?? '-',
    ...(isWide ? [peer.publicKey ?? '-'] : []),
  ]);
  return tableText(isWide ? [...HEADING, 'PUBLIC-KEY'] : HEADING, rows);
}
