import { type LinkPeer, startLinkPeer } from './link-peer.ts';
import { makeTestNamespace, type TestNamespace } from './test-namespace.ts';

/** The agent of the upstream module in a namespace of its own. */
export interface UpstreamAgent {
  readonly namespace: TestNamespace;
  /** The running one. */
  readonly peer: LinkPeer;
  /** Another with the same arguments after it; upstream's remembers nothing. */
  restart(): Promise<void>;
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
  const start = async (): Promise<LinkPeer> => {
    const started = startLinkPeer(
      ['agent', '-userspace', '-api', api, '-wireguard', `${namespace.host}:51821`, ...args],
      within,
    );
    await started.told('the agent', ({ event }) => event === 'listening');
    return started;
  };
  let peer: LinkPeer;
  try {
    peer = await start();
  } catch (error) {
    namespace.end();
    throw error;
  }
  return {
    namespace,
    get peer() {
      return peer;
    },
    restart: async () => {
      await peer.stop();
      peer = await start();
    },
    api,
    end: () => namespace.end(),
  };
}
