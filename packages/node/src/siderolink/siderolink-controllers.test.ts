import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startTestRuntime, type TestRuntime } from '@bloomery/cosi/testing';
import { createFakeClock } from '@bloomery/ports';
import type { LinkInputs, LinkSinkChoice, SiderolinkNodeStatus, StartSiderolinkNode } from '@bloomery/siderolink';
import type { NodeConfig } from '../config/node-config.ts';
import { PROBLEM_ANNOTATION } from '../layers/index.ts';
import { NETWORK_STATUS_ID } from '../network-status/index.ts';
import { AddressSpec, NodeAddress } from '../resources/addresses.ts';
import { LinkSpec } from '../resources/links.ts';
import { ACTIVE_CONFIG, LAYERED, MachineConfig } from '../resources/machine-config.ts';
import { HostnameStatus } from '../resources/names.ts';
import { NetworkStatus } from '../resources/network-status.ts';
import { SiderolinkConfig, SiderolinkStatus, SiderolinkTunnel } from '../resources/siderolink.ts';
import { testEnvironment } from '../testing/index.ts';
import { siderolinkControllers } from './index.ts';

const DOCUMENT = `apiVersion: v1alpha1
kind: SideroLinkConfig
apiUrl: https://plane.example.org/?jointoken=secret&grpc_tunnel=true
uniqueToken: unique
`;
const UP: SiderolinkNodeStatus = {
  connected: true,
  host: 'plane.example.org',
  linkName: 'siderolink',
  grpcTunnel: false,
  nodeAddress: 'fdae:41e4:649b:9303::2/64',
  serverAddress: 'fdae:41e4:649b:9303::1',
};
const NOWHERE: SiderolinkNodeStatus = { connected: false, host: '', linkName: '', grpcTunnel: false };

interface Rig extends AsyncDisposable {
  readonly runtime: TestRuntime;
  readonly joined: (LinkInputs | undefined)[];
  readonly sinks: () => LinkSinkChoice;
  /** Names of the messages that were sent. */
  readonly sent: string[];
  readonly isLeft: () => boolean;
  /** The link stands like this now. */
  readonly show: (status: SiderolinkNodeStatus, virtualAddress?: string) => Promise<void>;
  readonly configure: (text: string) => Promise<void>;
  readonly haveAddress: (addressReady?: boolean) => Promise<void>;
}

/** The controllers over a library that joins nothing. */
function rig(cmdline = ''): Rig {
  const joined: (LinkInputs | undefined)[] = [];
  const sent: string[] = [];
  const listeners = new Set<(status: SiderolinkNodeStatus) => void>();
  let sinks: LinkSinkChoice = {};
  let status = NOWHERE;
  let virtual: string | undefined;
  let isLeft = false;
  const start: StartSiderolinkNode = () => ({
    status: () => status,
    virtualAddress: () => virtual,
    onChanged: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    update: (inputs) => void joined.push(inputs),
    direct: (next) => {
      sinks = next;
    },
    events: { send: (schema) => String(sent.push(schema.name)), drained: async () => true, backlog: 0 },
    [Symbol.asyncDispose]: async () => {
      isLeft = true;
    },
  });
  const clock = createFakeClock(1_700_000_000_000);
  const environment = testEnvironment({ clock }, { cmdline });
  const controllers = siderolinkControllers(environment, { dialer: {}, start });
  const runtime = startTestRuntime(controllers, {
    clock,
    definitions: [MachineConfig, NetworkStatus, LinkSpec, AddressSpec, NodeAddress, HostnameStatus],
  });
  return {
    runtime,
    joined,
    sinks: () => sinks,
    sent,
    isLeft: () => isLeft,
    show: async (next, virtualAddress) => {
      status = next;
      virtual = virtualAddress;
      for (const listener of listeners) listener(next);
      await runtime.settled();
    },
    configure: async (text) => {
      const config: NodeConfig = { text, documents: [] };
      await runtime.put(MachineConfig, ACTIVE_CONFIG, config);
    },
    haveAddress: async (addressReady = true) => {
      await runtime.put(NetworkStatus, NETWORK_STATUS_ID, NetworkStatus.make({ addressReady }));
    },
    [Symbol.asyncDispose]: () => runtime[Symbol.asyncDispose](),
  };
}

describe('the configuration of the link', () => {
  it('is that of the document, with the parts of its address', async () => {
    await using r = rig('siderolink.api=grpc://other:1');
    await r.configure(DOCUMENT);
    assert.deepEqual(r.runtime.specs(SiderolinkConfig), {
      siderolink: {
        apiEndpoint: 'https://plane.example.org/?jointoken=secret&grpc_tunnel=true',
        host: 'plane.example.org:443',
        joinToken: 'secret',
        insecure: false,
        tunnel: true,
      },
    });
  });

  it('is that of the kernel argument without a document', async () => {
    await using r = rig('quiet siderolink.api=10.0.0.1:8081?jointoken=t siderolink.api=second:1');
    await r.runtime.settled();
    const { siderolink } = r.runtime.specs(SiderolinkConfig);
    assert.deepEqual(siderolink, {
      apiEndpoint: '10.0.0.1:8081?jointoken=t',
      host: '10.0.0.1:8081',
      joinToken: 't',
      insecure: true,
      tunnel: false,
    });
  });

  it('goes with the document, and with it the link', async () => {
    await using r = rig();
    await r.haveAddress();
    await r.configure(DOCUMENT);
    assert.notEqual(r.joined.at(-1), undefined);
    await r.configure('');
    assert.deepEqual([r.runtime.specs(SiderolinkConfig), r.runtime.specs(SiderolinkStatus)], [{}, {}]);
    assert.equal(r.joined.at(-1), undefined);
  });

  it('that names no API that can be joined is told of, and what stood before stays', async () => {
    await using r = rig();
    await r.configure(DOCUMENT);
    await r.configure(DOCUMENT.replace('https://', 'http://'));
    assert.equal(r.runtime.specs(SiderolinkConfig)['siderolink']?.host, 'plane.example.org:443');
    const { lastError } = r.runtime.runtime.status().find(({ name }) => name === 'siderolink.ConfigController') ?? {};
    assert.match(lastError ?? '', /apiUrl scheme must be https:\/\/ or grpc:\/\//);
  });
});

describe('joining', () => {
  it('waits for an address of the machine, and does not leave when that goes', async () => {
    await using r = rig();
    await r.configure(DOCUMENT);
    assert.deepEqual(r.joined.filter(Boolean), []);
    await r.haveAddress();
    assert.deepEqual(r.joined.at(-1), {
      api: 'https://plane.example.org/?jointoken=secret&grpc_tunnel=true',
      uuid: '7b7a7cbb-0d1c-4f0a-a4c0-6c2b0a1f3e55',
      talosVersion: 'v1.13.9',
      uniqueToken: 'unique',
    });
    await r.haveAddress(false);
    assert.notEqual(r.joined.at(-1), undefined);
  });

  it('sends logs and events where documents and arguments say, also without a link', async () => {
    const sink = 'apiVersion: v1alpha1\nkind: EventSinkConfig\nendpoint: "[fd00::1]:4002"\n';
    await using r = rig('talos.logging.kernel=tcp://[fd00::1]:4001');
    await r.configure(sink);
    const { kernelLogDestinations, eventSink } = r.sinks();
    assert.deepEqual([kernelLogDestinations, eventSink], [['tcp://[fd00::1]:4001'], '[fd00::1]:4002']);
  });

  it('ends with the daemon', async () => {
    const r = rig('siderolink.api=plane:1');
    await r.haveAddress();
    await r[Symbol.asyncDispose]();
    assert.equal(r.isLeft(), true);
  });
});

describe('what stands of the link', () => {
  const specs = (r: Rig): readonly string[] => [
    ...Object.keys(r.runtime.specs(LinkSpec, { namespace: LAYERED })),
    ...Object.keys(r.runtime.specs(AddressSpec, { namespace: LAYERED })),
    ...Object.keys(r.runtime.specs(SiderolinkTunnel)),
  ];

  it('is a link and its address, which nobody else makes or removes', async () => {
    await using r = rig('siderolink.api=plane:1');
    await r.haveAddress();
    assert.deepEqual(specs(r), []);
    await r.show(UP);
    assert.deepEqual(specs(r), ['operator/siderolink', 'operator/siderolink/fdae:41e4:649b:9303::2/64']);
    const link = r.runtime.specs(LinkSpec, { namespace: LAYERED })['operator/siderolink'];
    assert.deepEqual([link?.logical, link?.up, link?.mtu, link?.wireguard.privateKey], [false, true, 1280, '']);
  });

  it('is the tunnel, too, when WireGuard goes through it, and nothing of the other way', async () => {
    await using r = rig('siderolink.api=plane:1');
    await r.haveAddress();
    await r.show(UP);
    await r.show({ ...UP, linkName: 'siderolinktun', grpcTunnel: true }, '[fdae::1234]:50888');
    assert.deepEqual(specs(r), [
      'operator/siderolinktun',
      'operator/siderolinktun/fdae:41e4:649b:9303::2/64',
      'siderolink-tunnel',
    ]);
    assert.deepEqual(r.runtime.specs(SiderolinkTunnel)['siderolink-tunnel'], {
      apiEndpoint: 'plane:1',
      linkName: 'siderolinktun',
      mtu: 1280,
      nodeAddress: '[fdae::1234]:50888',
    });
    await r.show(NOWHERE);
    assert.deepEqual(specs(r), []);
  });

  it('is connected or not, at each change', async () => {
    await using r = rig('siderolink.api=https://plane.example.org:8443');
    await r.haveAddress();
    const status = (): unknown => r.runtime.specs(SiderolinkStatus)['siderolink-status'];
    const down = { host: 'plane.example.org', connected: false, linkName: 'siderolink', grpcTunnel: false };
    assert.deepEqual(status(), down);
    await r.show(UP);
    assert.deepEqual(status(), { ...down, connected: true });
    await r.show({ ...UP, connected: false });
    assert.deepEqual(status(), down);
  });

  it('shows what stands in its way, until it stands', async () => {
    await using r = rig('siderolink.api=https://plane.example.org:8443');
    const problem = (): string | undefined =>
      r.runtime.state.get(SiderolinkStatus, 'siderolink-status')?.metadata.annotations[PROBLEM_ANNOTATION];
    await r.runtime.settled();
    assert.equal(problem(), 'waits until this machine has an address');
    await r.haveAddress();
    assert.equal(problem(), undefined);
    await r.show({ ...NOWHERE, lastError: 'joining the link of plane.example.org: refused; it is tried again' });
    assert.equal(problem(), 'joining the link of plane.example.org: refused; it is tried again');
    await r.show(UP);
    assert.equal(problem(), undefined);
  });

  it('is told as events, as talosctl shows them', async () => {
    await using r = rig('siderolink.api=plane:1');
    await r.haveAddress();
    await r.runtime.put(NodeAddress, 'current', NodeAddress.make({ addresses: ['10.0.0.1/24'] }));
    assert.deepEqual(new Set(r.sent), new Set(['MachineStatusEvent', 'ServiceStateEvent', 'AddressEvent']));
  });
});
