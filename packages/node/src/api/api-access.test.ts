import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type CallContext, grpcStatusOf } from '@bloomery/grpc';
import type { MachineMethod } from '@bloomery/talos';
import { loadNodeConfig } from '../config/load-node-config.ts';
import { createApiAccess } from './api-access.ts';

const MAINTENANCE = 'apiVersion: v1alpha1\nkind: LinkConfig\nname: eth0\n';
const CONFIGURED = 'machine: {type: worker}\n';
const WITHOUT_RBAC = 'machine: {type: worker, features: {rbac: false}}\n';

interface Caller {
  /** Organizations of the certificate; none without one. */
  readonly roles?: readonly string[];
  /** On this host; from elsewhere without one. */
  readonly uid?: number;
  readonly metadata?: Readonly<Record<string, string>>;
}

const accessOf = (config: string, uid: number | undefined, ownUid: number) => {
  const active = loadNodeConfig(config);
  return createApiAccess({
    store: { active, isInMaintenance: active.machine === undefined },
    names: () => ({ hostname: 'node', hostnames: ['node'], addresses: ['192.0.2.1'] }),
    listener: '127.0.0.1',
    localUid: () => uid,
    ownUid,
  });
};

const contextOf = ({ roles, metadata = {} }: Caller): CallContext => ({
  metadata,
  peer: { host: '192.0.2.9', port: 4_000 },
  certifiedPeer: () => (roles === undefined ? undefined : { commonName: '', organizations: roles }),
  signal: new AbortController().signal,
});

/** `OK`, or status and text. */
function outcome(act: () => unknown): string {
  try {
    act();
    return 'OK';
  } catch (error) {
    return `${grpcStatusOf(error)}: ${error instanceof Error ? error.message : ''}`;
  }
}

const called = (config: string, method: MachineMethod, caller: Caller, ownUid = 0): string =>
  outcome(() => accessOf(config, caller.uid, ownUid).admit(method, contextOf(caller)));

const read = (config: string, sensitive: boolean, caller: Caller): string =>
  outcome(() => accessOf(config, caller.uid, 0).admitReader(contextOf(caller), { sensitive }));

const APPLY = 'applyConfiguration';
const DENIED = /^PERMISSION_DENIED: .*not authorized$/;
const AS_ROOT = /^PERMISSION_DENIED: .*users of this host configure it as root, or with DIR\/talosconfig$/;

describe('a node in maintenance', () => {
  const cases: [who: string, caller: Caller, ownUid: number, want: string | RegExp][] = [
    ['somebody of the network', {}, 0, 'OK'],
    ['root of this host', { uid: 0 }, 0, 'OK'],
    ['root of this host, also when the daemon runs as another user', { uid: 0 }, 990, 'OK'],
    ['the user that the daemon runs as', { uid: 990 }, 990, 'OK'],
    ['another user of this host', { uid: 1_000 }, 0, AS_ROOT],
    ['another user of this host with a certificate', { uid: 1_000, roles: ['os:admin'] }, 0, 'OK'],
  ];
  for (const [who, caller, ownUid, want] of cases) {
    it(`${want === 'OK' ? 'takes' : 'does not take'} its first configuration from ${who}`, () => {
      const got = called(MAINTENANCE, APPLY, caller, ownUid);
      if (typeof want === 'string') assert.equal(got, want);
      else assert.match(got, want);
    });
  }

  it('is shown to everybody but for what is sensitive', () => {
    assert.equal(called(MAINTENANCE, 'version', { uid: 1_000 }), 'OK');
    assert.equal(read(MAINTENANCE, false, {}), 'OK');
    assert.match(read(MAINTENANCE, true, {}), DENIED);
    assert.match(called(MAINTENANCE, 'read', {}), DENIED);
  });

  it('goes by the roles of a certificate where there is one', () => {
    assert.equal(read(MAINTENANCE, true, { roles: ['os:admin'] }), 'OK');
    assert.match(read(MAINTENANCE, false, { roles: ['os:etcd:backup'] }), DENIED);
  });
});

describe('a configured node', () => {
  it('has nothing for who has no certificate, root of this host included', () => {
    for (const method of [APPLY, 'version'] as const) assert.match(called(CONFIGURED, method, { uid: 0 }), DENIED);
    assert.match(read(CONFIGURED, false, { uid: 0 }), DENIED);
  });

  it('takes configurations of administrators only', () => {
    assert.equal(called(CONFIGURED, APPLY, { roles: ['os:admin'] }), 'OK');
    for (const role of ['os:operator', 'os:reader', '']) {
      assert.match(called(CONFIGURED, APPLY, { roles: [role] }), DENIED, role);
    }
  });

  it('whose roles are switched off believes every certificate, and still no one without', () => {
    assert.equal(called(WITHOUT_RBAC, APPLY, { roles: [] }), 'OK');
    assert.equal(read(WITHOUT_RBAC, true, { roles: [] }), 'OK');
    assert.match(called(WITHOUT_RBAC, APPLY, {}), DENIED);
    assert.match(read(WITHOUT_RBAC, false, {}), DENIED);
  });

  it('knows its own names among those that are asked for, each once', () => {
    const asked = { nodes: 'node, 192.0.2.1,node,,192.0.2.7', node: '127.0.0.1' };
    const admission = accessOf(CONFIGURED, undefined, 0).admit(
      'version',
      contextOf({ roles: ['os:reader'], metadata: asked }),
    );
    assert.deepEqual(admission.names, ['127.0.0.1', 'node', '192.0.2.1']);
    assert.deepEqual(admission.others, ['192.0.2.7']);
  });

  it('looks at sixty-four names and no more', () => {
    const nodes = Array.from({ length: 1_000 }, (_, i) => `192.0.2.${i}`).join(',');
    const { names, others } = accessOf(CONFIGURED, undefined, 0).admit(
      'version',
      contextOf({ roles: ['os:reader'], metadata: { nodes } }),
    );
    assert.equal(names.length + others.length, 64);
  });

  it('quotes no more than a part of a name that is not its own', () => {
    const metadata = { node: 'x'.repeat(10_000) };
    const got = called(CONFIGURED, 'version', { roles: ['os:reader'], metadata });
    assert.match(got, /^UNAVAILABLE: .*this node does not forward calls, and is not "x{200}": ask that node itself/);
  });
});
