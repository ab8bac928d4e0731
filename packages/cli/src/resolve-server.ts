import type { ObjectClient } from '@bloomery/kube';
import { findObject } from '@bloomery/kube';
import { type Server, type ServerBinding, server, serverBinding } from '@bloomery/model';
import { BloomeryError, isBloomeryError } from '@bloomery/ports';
import { didYouMean } from './resolve-kind.ts';
import { suggest } from './suggest.ts';

const PREFIX_MIN = 6;

/**
 * The Server that a person means: its name, or, where only one fits, a MAC, host name, address, BMC address, serial number
 * or the first six or more characters of its name; else the host name or an address that its operating system reports.
 *
 * @throws BloomeryError BLM_CLI_NAME_UNKNOWN when none or several fit; the message names them.
 */
export async function resolveServer(client: ObjectClient, text: string): Promise<Server> {
  const name = text.replace(/^(srv|server|servers)\//, '');
  const exact = await findObject(client, server, { name: name.toLowerCase() });
  if (exact !== undefined) return exact;
  const { items } = await client.list(server);
  const own = matchServers(items, name);
  const found = own.length > 0 ? own : await matchReported(client, items, name);
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  const names = found.length > 1 ? found.map(label).slice(0, 5) : [];
  const message =
    names.length > 0
      ? `${JSON.stringify(name)} fits ${found.length} servers: ${names.join(', ')}`
      : `no server is known as ${JSON.stringify(name)}${didYouMean(suggest(name, items.flatMap(knownAs)))}`;
  throw new BloomeryError('BLM_CLI_NAME_UNKNOWN', message, { facts: { try: 'bloomery get servers -o wide' } });
}

/** The servers that a text fits: whole identifiers first, then prefixes of the name. Pure. */
export function matchServers(servers: readonly Server[], text: string): readonly Server[] {
  const wanted = text.toLowerCase();
  const whole = servers.filter((item) => knownAs(item).includes(wanted));
  if (whole.length > 0 || wanted.length < PREFIX_MIN) return whole;
  return servers.filter(({ metadata }) => metadata.name.startsWith(wanted));
}

/** The servers whose operating systems call themselves so. Who may not see that finds none. */
async function matchReported(
  client: ObjectClient,
  servers: readonly Server[],
  text: string,
): Promise<readonly Server[]> {
  const names = new Set<string>();
  try {
    const wanted = text.toLowerCase();
    for (const binding of (await client.list(serverBinding)).items)
      if (reportedBy(binding).includes(wanted)) names.add(binding.metadata.name);
  } catch (error) {
    if (!isBloomeryError(error, 'BLM_API_FORBIDDEN')) throw error;
  }
  return servers.filter(({ metadata }) => names.has(metadata.name));
}

function reportedBy({ spec }: ServerBinding): readonly string[] {
  const { hostname, addresses = [], siderolink } = spec ?? {};
  const texts = [hostname, ...addresses, siderolink?.address?.replace(/\/.*$/, '')];
  return texts.filter((text) => text !== undefined && text !== '').map((text) => String(text).toLowerCase());
}

/** Everything that identifies a server, in lower case. */
function knownAs({ metadata, spec, status }: Server): readonly string[] {
  const { hardware, hostname, bmc } = spec ?? {};
  const texts = [
    metadata.name,
    hostname,
    bmc?.endpoint,
    hardware?.system?.serialNumber,
    ...(hardware?.network?.interfaces ?? []).map((nic) => nic.mac),
    ...(status?.addresses ?? []).map(({ address }) => address),
  ];
  return texts.filter((text) => text !== undefined && text !== '').map((text) => String(text).toLowerCase());
}

function label({ metadata, spec }: Server): string {
  return spec?.hostname === undefined ? metadata.name : `${metadata.name} (${spec.hostname})`;
}
