import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { startTestRuntime, type TestRuntime } from '@bloomery/cosi/testing';
import { parseGoDurationMs } from '@bloomery/wire';
import { readNodeConfig } from '../config/load-node-config.ts';
import { DeviceConfigSpec } from '../resources/device-config.ts';
import { LinkStatus } from '../resources/links.ts';
import { ACTIVE_CONFIG, MachineConfig } from '../resources/machine-config.ts';
import { deviceConfigController } from './device-config-controller.ts';
import { wireguardPatch } from './wireguard-patch.ts';

const root = process.env['VECTORS'] ?? join(import.meta.dirname, '../../../../test/vectors');

function vectors<C extends { readonly name: string }>(
  name: string,
  run: (c: C, all: readonly C[]) => Promise<void> | void,
): void {
  const file = join(root, 'node', `${name}.json`);
  const skip = existsSync(file) ? false : `${file} does not exist`;
  describe(`vectors: node/${name}`, { skip }, () => {
    const cases: readonly C[] = skip === false ? JSON.parse(readFileSync(file, 'utf8')).cases : [];
    for (const [i, c] of cases.entries()) it(`case ${i}: ${c.name}`, () => run(c, cases));
  });
}

interface VectorLink {
  readonly id: string;
  readonly index: number;
  readonly type: string;
  readonly altNames?: readonly string[];
  readonly [key: string]: unknown;
}

interface SelectorCase {
  readonly name: string;
  readonly config: string;
  readonly links?: readonly VectorLink[];
  /** Lists of Go that are empty are null. */
  readonly deviceConfigs: Readonly<
    Record<string, { readonly interface: string; readonly bondInterfaces?: readonly string[] | null }>
  >;
}

/** Links of the vectors, as LinkStatuses; `none` is what the table calls `nohdr`. */
async function putLinks({ put }: TestRuntime, links: readonly VectorLink[]): Promise<void> {
  for (const { id, type, ...fields } of links) {
    const known = type === 'none' ? 'nohdr' : type;
    await put(LinkStatus, id, LinkStatus.make({ ...fields, type: known as LinkStatus['type'] }));
  }
}

vectors<SelectorCase>('device_selectors', async (c, cases) => {
  await using runtime = startTestRuntime([deviceConfigController()], { definitions: [LinkStatus, MachineConfig] });
  await putLinks(runtime, cases.find(({ links }) => links !== undefined)?.links ?? []);
  await runtime.put(MachineConfig, ACTIVE_CONFIG, readNodeConfig(c.config));
  const devices = Object.entries(runtime.specs(DeviceConfigSpec)).map(([id, device]) => [
    id,
    {
      interface: device.interface,
      ...(device.bond === undefined ? {} : { bondInterfaces: device.bond.interfaces }),
    },
  ]);
  const wanted = Object.entries(c.deviceConfigs).map(([id, device]) => [
    id,
    device.bondInterfaces === null ? { ...device, bondInterfaces: [] } : device,
  ]);
  assert.deepEqual(Object.fromEntries(devices), Object.fromEntries(wanted));
});

/** Lists of Go that are empty are null. */
interface VectorPeer {
  readonly publicKey: string;
  readonly presharedKey?: string;
  readonly endpoint?: string;
  readonly persistentKeepaliveInterval?: string;
  readonly allowedIPs?: readonly string[] | null;
}

interface VectorDevice {
  readonly privateKey?: string;
  readonly listenPort?: number;
  readonly firewallMark?: number;
  readonly peers?: readonly VectorPeer[] | null;
}

interface PatchCase {
  readonly name: string;
  readonly input: { readonly existing: VectorDevice; readonly desired: VectorDevice };
  readonly equal: boolean;
  readonly patch?: {
    readonly privateKeyChanged: boolean;
    readonly listenPort: number | null;
    readonly firewallMark: number | null;
    readonly replacePeers: boolean;
    readonly peers: readonly Readonly<Record<string, unknown>>[] | null;
  };
}

const deviceOf = ({ privateKey = '', listenPort = 0, firewallMark = 0, peers }: VectorDevice) => ({
  ...{ privateKey, listenPort, firewallMark },
  peers: (peers ?? []).map(({ publicKey, presharedKey = '', endpoint = '', ...peer }) => ({
    ...{ publicKey, presharedKey, endpoint },
    keepaliveMs: parseGoDurationMs(peer.persistentKeepaliveInterval ?? '0s') ?? 0,
    allowedIPs: peer.allowedIPs ?? [],
  })),
});

vectors<PatchCase>('wireguard_patch', ({ input, equal, patch: want }) => {
  const [existing, desired] = [deviceOf(input.existing), deviceOf(input.desired)];
  const patch = wireguardPatch(
    { ...existing, peers: existing.peers.map((peer) => ({ ...peer, keepaliveSeconds: peer.keepaliveMs / 1000 })) },
    {
      ...desired,
      publicKey: '',
      peers: desired.peers.map((peer) => ({ ...peer, persistentKeepaliveInterval: peer.keepaliveMs })),
    },
  );
  assert.equal(patch === undefined, equal);
  if (patch === undefined || want === undefined) return;
  assert.equal(patch.privateKey !== undefined, want.privateKeyChanged);
  assert.equal(patch.listenPort ?? null, want.listenPort);
  assert.equal(patch.firewallMark ?? null, want.firewallMark);
  // Nothing that a patch can say replaces all peers.
  assert.equal(want.replacePeers, false);
  const listed = (want.peers ?? []).map((peer) => ({ ...peer, allowedIPs: peer['allowedIPs'] ?? [] }));
  assert.deepEqual(patch.peers, listed);
});
