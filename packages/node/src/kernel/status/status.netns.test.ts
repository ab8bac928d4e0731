import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createState, type Runtime, type State, startRuntime } from '@bloomery/cosi';
import { silentLog, systemClock, until } from '@bloomery/ports';
import { AddressStatus } from '../../resources/addresses.ts';
import { EthernetStatus } from '../../resources/ethernet.ts';
import { LinkStatus } from '../../resources/links.ts';
import { RouteStatus } from '../../resources/routes.ts';
import { SERVED_DEFINITIONS } from '../../served-definitions.ts';
import type { Kernel } from '../kernel.ts';
import { createKernelJournal } from '../kernel-journal.ts';
import { openKernel } from '../open-kernel.ts';
import { linesOfIp } from '../testing/ip-view.ts';
import { enterPrivateNetwork, ip, ipBatch } from '../testing/private-network.ts';
import { statusControllers } from './index.ts';

const skip = await enterPrivateNetwork();
/** What is promised: a change is seen within a second. A busy machine may take longer. */
const DEADLINE_MS = 10_000;

describe('statuses of the kernel of this host', { skip }, () => {
  const stateDir = mkdtempSync(join(tmpdir(), 'blm-status-'));
  let kernel: Kernel & AsyncDisposable;
  let state: State;
  let runtime: Runtime;
  before(async () => {
    kernel = await openKernel({ clock: systemClock, log: silentLog, stateDir });
    state = createState({ clock: systemClock, log: silentLog });
    for (const definition of SERVED_DEFINITIONS) state.register(definition);
    const random = (length: number): Uint8Array => new Uint8Array(length);
    runtime = startRuntime({ state, clock: systemClock, log: silentLog, random });
    runtime.start(statusControllers({ kernel }));
  });
  after(async () => {
    await runtime[Symbol.asyncDispose]();
    await kernel[Symbol.asyncDispose]();
    rmSync(stateDir, { recursive: true, force: true });
  });
  const seen = (what: string, ask: () => boolean): Promise<unknown> => until(what, ask, { deadlineMs: DEADLINE_MS });
  const link = (name: string): LinkStatus | undefined => state.get(LinkStatus, name)?.spec;
  const has = (definition: typeof AddressStatus | typeof RouteStatus, id: string): boolean =>
    state.list<unknown>(definition).some(({ metadata }) => metadata.id === id);

  it('show links, addresses and routes as they come, change and go', async () => {
    ip('link', 'add', 'v0', 'type', 'veth', 'peer', 'name', 'v1');
    await seen('v0 and v1', () => link('v0') !== undefined && link('v1') !== undefined);
    ipBatch([
      'link set v0 up',
      'link set v1 up',
      'addr add 10.0.0.5/24 dev v0',
      'route add default via 10.0.0.1 metric 7',
    ]);
    await seen('v0 runs', () => link('v0')?.operationalState === 'up' && link('v0')?.linkState === true);
    const { kind, type, driver, speedMbit, duplex, port } = link('v0') ?? LinkStatus.make();
    assert.deepEqual(
      [kind, type, driver, speedMbit, duplex, port],
      ['veth', 'ether', 'veth', 10_000, 'Full', 'TwistedPair'],
    );
    await seen('its address', () => has(AddressStatus, 'v0/10.0.0.5/24'));
    await seen(
      'its routes',
      () => has(RouteStatus, 'inet4/10.0.0.1//7') && has(RouteStatus, 'local/inet4//10.0.0.5/32/0'),
    );
    await seen('its settings', () => state.get(EthernetStatus, 'v0')?.spec.linkState === true);
    ip('link', 'set', 'v0', 'name', 'w0');
    await seen(
      'the new name',
      () => link('w0') !== undefined && link('v0') === undefined && has(AddressStatus, 'w0/10.0.0.5/24'),
    );
    ip('link', 'del', 'w0');
    await seen('nothing but lo', () => state.list(LinkStatus).length === 1 && state.list(RouteStatus).length === 0);
  });

  it('show wireguard-go as WireGuard, and a restart takes it over', async () => {
    await kernel.wireguard.create('wg0');
    await seen('wg0', () => link('wg0')?.kind === 'wireguard');
    const again = await openKernel({ clock: systemClock, log: silentLog, stateDir, leave: true });
    assert.equal(again.view.linkByName('wg0')?.kind, 'wireguard');
    assert.notEqual(await again.wireguard.read('wg0'), undefined);
    await again[Symbol.asyncDispose]();
    await kernel.links.remove(kernel.view.linkByName('wg0')?.index ?? 0);
    await seen('wg0 is gone', () => link('wg0') === undefined);
  });

  it('the journal leaves the host as it was, for ip too', async () => {
    ipBatch([
      ...['link add e0 type veth peer name e1', 'link set e1 up', 'link set e0 up mtu 1450 alias before'],
      ...['addr add 192.168.9.5/24 dev e0', 'addr add fd09::5/64 dev e0 nodad', 'route add default via 192.168.9.1'],
      ...[
        '-6 route add default via fd09::1',
        'route add 10.0.0.0/8 via 192.168.9.1 table 77',
        'rule add priority 9 lookup 77',
      ],
    ]);
    const index = (name: string): number => kernel.view.linkByName(name)?.index ?? 0;
    await seen('e0 is set up', () => kernel.view.rules.some(({ priority }) => priority === 9));
    // Its link-local addresses must have been checked.
    await seen('e0 is at rest', () => !linesOfIp().addresses.some((line) => line.endsWith('true')));
    const before = linesOfIp();
    const journal = await createKernelJournal(kernel, { file: join(stateDir, 'undo.json'), log: silentLog });
    await journal.links.create({ name: 'br0', kind: 'bridge' });
    await journal.links.change(index('e0'), { up: false });
    await journal.links.change(index('e0'), {
      mtu: 1400,
      alias: 'ours',
      addAltNames: ['uplink'],
      hardwareAddr: '02:00:00:00:00:09',
    });
    await journal.links.change(index('e0'), { name: 'wan0', masterIndex: index('br0') });
    await journal.links.change(index('wan0'), { up: true });
    await journal.links.change(index('br0'), { up: true });
    const address = { scope: 0, flags: 0, priority: 0 };
    await journal.addresses.put({ ...address, linkIndex: index('br0'), address: '10.1.0.1/24' });
    await journal.addresses.put({ ...address, linkIndex: index('wan0'), address: '192.168.9.5/24', priority: 50 });
    const route = { family: 2, source: '', outLinkIndex: 0, table: 254, priority: 5, scope: 0, type: 1, flags: 0 };
    await journal.routes.put({ ...route, destination: '10.9.0.0/16', gateway: '10.1.0.9', protocol: 4, mtu: 0 });
    const rule = { family: 2, priority: 500, source: '', destination: '', table: 77, action: 1 };
    await journal.rules.add({ ...rule, iifName: '', oifName: '', fwMark: 0, fwMask: 0 });
    assert.deepEqual(await journal.undo(), []);
    await seen('all is at rest again', () => !linesOfIp().addresses.some((line) => line.endsWith('true')));
    assert.deepEqual(linesOfIp(), before);
    ip('link', 'del', 'e0');
    ip('rule', 'del', 'priority', '9');
  });
});
