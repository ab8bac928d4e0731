import { type LinkPeer, startLinkPeer } from './link-peer.ts';
import { makeTestNamespace } from './test-namespace.ts';

/** The agent of the upstream module in a namespace of its own. */
export interface UpstreamAgent {
  readonly peer: LinkPeer;
  /** Where nodes find it. */
  readonly api: string;
  end(): void;
}

/** WireGuard's control sockets are named by interface alone, so the agent gets a folder of its own for them. */
const OWN_SOCKETS = 'mkdir -p /var/run/wireguard && mount -t tmpfs none /var/run/wireguard && exec "$@"';

/** Start it and wait until it is up. `args` are those of `siderolink-node agent`. */
export async function startUpstreamAgent(...args: readonly string[]): Promise<UpstreamAgent> {
  const namespace = makeTestNamespace();
  const api = `${namespace.host}:4000`;
  const within = [...namespace.within, 'unshare', '-m', 'sh', '-c', OWN_SOCKETS, 'sh'];
  const peer = startLinkPeer(
    ['agent', '-userspace', '-api', api, '-wireguard', `${namespace.host}:51821`, ...args],
    within,
  );
  try {
    await peer.told('the agent', ({ event }) => event === 'listening');
  } catch (error) {
    namespace.end();
    throw error;
  }
  return { peer, api, end: () => namespace.end() };
}
