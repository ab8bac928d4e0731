import type { VirtualResource } from '@bloomery/kube';
import {
  apiVersionOf,
  SIDEROLINK_DEVICE_NAME,
  type SiderolinkDevice,
  type SiderolinkPeer,
  siderolinkDevice,
  siderolinkPeer,
  timeText,
} from '@bloomery/model';
import type { LinkPeerView, LinkView } from '../link/peers/link-view.ts';

/** The read-only kinds of insight.bloomery.dev about SideroLink. `view` is undefined until the link is started. */
export function linkResources(view: () => LinkView | undefined): readonly VirtualResource[] {
  const peers: VirtualResource<SiderolinkPeer> = {
    kind: siderolinkPeer,
    list: () => view()?.peers().map(peerObject) ?? [],
    get: ({ name }) => {
      const peer = view()?.peer(name);
      return peer === undefined ? undefined : peerObject(peer);
    },
  };
  const devices: VirtualResource<SiderolinkDevice> = {
    kind: siderolinkDevice,
    list: () => [deviceObject(view())],
    get: ({ name }) => (name === SIDEROLINK_DEVICE_NAME ? deviceObject(view()) : undefined),
  };
  return [peers, devices];
}

function peerObject(peer: LinkPeerView): SiderolinkPeer {
  const { server, hostname, mode, state, lastHandshakeMs, endpoint, ...counted } = peer;
  const { receivedBytes, sentBytes, address, publicKey } = counted;
  return {
    apiVersion: apiVersionOf(siderolinkPeer),
    kind: siderolinkPeer.kind,
    metadata: { name: server },
    ...(hostname === '' ? {} : { hostname }),
    mode,
    state,
    ...(lastHandshakeMs === undefined ? {} : { lastHandshake: timeText(lastHandshakeMs) }),
    ...(endpoint === undefined || mode === 'tunnel' ? {} : { endpoint }),
    receivedBytes,
    sentBytes,
    address,
    publicKey,
  };
}

function deviceObject(view: LinkView | undefined): SiderolinkDevice {
  return {
    apiVersion: apiVersionOf(siderolinkDevice),
    kind: siderolinkDevice.kind,
    metadata: { name: SIDEROLINK_DEVICE_NAME },
    ...deviceFacts(view),
    ...(view === undefined ? {} : { peers: view.metrics().peers }),
  };
}

function deviceFacts(view: LinkView | undefined): Omit<SiderolinkDevice, 'apiVersion' | 'kind' | 'metadata'> {
  const device = view?.device();
  if (device === undefined) return { state: 'starting' };
  switch (device.state) {
    case 'off':
      return {
        state: 'off',
        message: 'SideroLink is switched off: machines get addresses but cannot connect',
        do: ['start `bloomery serve` without --wireguard off'],
      };
    case 'down':
      return { state: 'down', message: device.reason, do: adviceFor(device.reason) };
    case 'up': {
      const { backend, interfaceName, listenPort, notIsolated } = device;
      const up = { state: 'up' as const, backend, interface: interfaceName, port: listenPort };
      if (notIsolated === undefined) return { ...up, isolated: true };
      return {
        ...up,
        isolated: false,
        message: `machines on the link may reach other services of this host, and its neighbours may send kernel logs: ${notIsolated}`,
        do: ['install nftables (`apt install nftables`): it is tried again every 10 seconds'],
      };
    }
  }
}

function adviceFor(reason: string): readonly string[] {
  return /address already in use/i.test(reason) ? PORT_ADVICE : DEVICE_ADVICE;
}

const RETRIES = 'nothing else: it is tried again every minute at the latest';
const PORT_ADVICE = [
  'find out what has the port with `ss -lnup`, and stop it',
  'or choose another port with --siderolink-listen',
  RETRIES,
];
const DEVICE_ADVICE = [
  'run `bloomery serve` as root, or with CAP_NET_ADMIN and /dev/net/tun',
  'load the kernel module (`modprobe wireguard`, and `apt install wireguard-tools`), or install wireguard-go',
  RETRIES,
];
