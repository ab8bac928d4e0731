import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Controller, ReconcileContext } from '@bloomery/cosi';
import { BloomeryError, errorText } from '@bloomery/ports';
import type { NodeConfig } from '../config/node-config.ts';
import { HOST_DNS_ID, localServerId } from '../host-dns/host-dns-address.ts';
import { staticHosts } from '../host-dns/static-hosts.ts';
import type { EtcFiles } from '../network-status/etc-files.ts';
import type { NodeEnvironment } from '../node-environment.ts';
import { RESOLV_CONF } from '../resolvers/host-resolvers.ts';
import { RESOLVERS_ID } from '../resolvers/merge-resolvers.ts';
import { resolverSection } from '../resolvers/resolver-section.ts';
import { NodeAddress } from '../resources/addresses.ts';
import { DnsResolveCache, HostDnsConfig } from '../resources/host-dns.ts';
import { ACTIVE_CONFIG, MachineConfig } from '../resources/machine-config.ts';
import { HostnameStatus, ResolverStatus } from '../resources/names.ts';
import { placeImage, readImage } from './file-image.ts';
import type { HostFileKeeper } from './host-file-keeper.ts';
import { appendHosts, type HostEntry, renderHosts } from './hosts-file.ts';
import { renderResolvConf } from './resolv-conf.ts';
import { watchHostFile } from './watch-host-file.ts';

export const HOSTS = '/etc/hosts';
/** resolv.conf for pods, below the daemon's folder. */
export const POD_RESOLV_CONF = 'resolved/resolv.conf';
/** Names in the account of the files of this host. */
export const ETC_FILES = ['resolv.conf', 'hosts'] as const;

const LOCAL_SERVER = '127.0.0.53';
const RUNNING = 'running';

export interface EtcFileDeps {
  readonly files: Pick<HostFileKeeper, 'enabled' | 'original' | 'release' | 'write'>;
  readonly etcFiles: Pick<EtcFiles, 'set'>;
}

/**
 * Writes resolv.conf and hosts of this host, and resolv.conf for pods. resolv.conf names the daemon's own server only while that answers.
 * Without `manageAll`, a file that the configuration says nothing of stays, or becomes what it was.
 */
export function etcFileController(
  { clock, settings }: Pick<NodeEnvironment, 'clock' | 'settings'>,
  deps: EtcFileDeps,
): Controller {
  const { files, etcFiles } = deps;
  const keep = async (name: (typeof ETC_FILES)[number], path: string, content: string | undefined): Promise<void> => {
    try {
      await (content === undefined ? files.release(path) : files.write(path, content));
      etcFiles.set(name, true);
    } catch (error) {
      etcFiles.set(name, false);
      throw error;
    }
  };
  const reconcile = async (context: ReconcileContext): Promise<void> => {
    const config = context.get(MachineConfig, ACTIVE_CONFIG)?.spec;
    const hosts = async (): Promise<void> => {
      const own = settings.manageAll ? undefined : String((await files.original(HOSTS)) ?? '');
      await keep('hosts', HOSTS, hostsContent(context, config, own));
    };
    const results = await Promise.allSettled([
      keep('resolv.conf', RESOLV_CONF, resolvContent(context, config, settings.manageAll)),
      hosts(),
      writePodFile(join(settings.stateDir, POD_RESOLV_CONF), podContent(context)),
    ]);
    const failures = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
    if (failures.length === 0) return;
    const message = failures.map(errorText).join('; ');
    throw new BloomeryError('BLM_NODE_HOST_FILE', message, { retryable: true, cause: failures[0] });
  };
  return {
    name: 'network.EtcFileController',
    inputs: [
      { definition: MachineConfig, id: ACTIVE_CONFIG, kind: 'weak' },
      { definition: HostnameStatus, id: 'hostname', kind: 'weak' },
      { definition: NodeAddress, id: 'default', kind: 'weak' },
      { definition: ResolverStatus, id: RESOLVERS_ID, kind: 'weak' },
      { definition: HostDnsConfig, id: HOST_DNS_ID, kind: 'weak' },
      { definition: DnsResolveCache, kind: 'weak' },
    ],
    outputs: [],
    wakes: files.enabled
      ? [watchHostFile(settings.root, RESOLV_CONF, clock), watchHostFile(settings.root, HOSTS, clock)]
      : [],
    reconcile,
  };
}

/** undefined: it is not to be touched. */
function resolvContent(
  context: ReconcileContext,
  config: NodeConfig | undefined,
  manageAll: boolean,
): string | undefined {
  const resolvers = context.get(ResolverStatus, RESOLVERS_ID)?.spec;
  const isEnabled = context.get(HostDnsConfig, HOST_DNS_ID)?.spec.enabled === true;
  const isAnswering = context.get(DnsResolveCache, localServerId('udp'))?.spec.status === RUNNING;
  const searchDomains = resolvers?.searchDomains ?? [];
  if (isEnabled && isAnswering) return renderResolvConf([LOCAL_SERVER], searchDomains);
  const written = resolverSection(config);
  const isNamed = manageAll || written.servers.length + written.searchDomains.length > 0;
  return resolvers === undefined || !isNamed ? undefined : renderResolvConf(resolvers.dnsServers, searchDomains);
}

/** @param original of a host that keeps its own; undefined: the daemon writes all of it */
function hostsContent(
  context: ReconcileContext,
  config: NodeConfig | undefined,
  original: string | undefined,
): string | undefined {
  const further = staticHosts(config);
  if (original !== undefined) return further.length === 0 ? undefined : appendHosts(original, further);
  return renderHosts(ownEntry(context), further);
}

function ownEntry(context: ReconcileContext): HostEntry | undefined {
  const status = context.get(HostnameStatus, 'hostname')?.spec;
  const [first] = context.get(NodeAddress, 'default')?.spec.addresses ?? [];
  if (status === undefined || status.hostname === '' || first === undefined) return undefined;
  const { hostname, domainname } = status;
  const names = domainname === '' ? [hostname] : [`${hostname}.${domainname}`, hostname];
  return { address: first.replace(/\/.*$/, ''), names };
}

/** undefined: there are no resolvers yet. */
function podContent(context: ReconcileContext): string | undefined {
  const resolvers = context.get(ResolverStatus, RESOLVERS_ID)?.spec;
  if (resolvers === undefined) return undefined;
  const { serviceHostDNSAddress = '', serviceHostDNSAddressV6 = '' } =
    context.get(HostDnsConfig, HOST_DNS_ID)?.spec ?? {};
  const service = [serviceHostDNSAddress, serviceHostDNSAddressV6].filter((address) => address !== '');
  return renderResolvConf(service.length > 0 ? service : resolvers.dnsServers, resolvers.searchDomains);
}

async function writePodFile(path: string, text: string | undefined): Promise<void> {
  if (text === undefined) return;
  const content = Buffer.from(text);
  const now = await readImage(path);
  if (now.kind === 'file' && now.content.equals(content)) return;
  await mkdir(dirname(path), { recursive: true, mode: 0o755 });
  await placeImage(path, {
    kind: 'file',
    content,
    mode: 0o644,
    uid: process.getuid?.() ?? 0,
    gid: process.getgid?.() ?? 0,
  });
}
