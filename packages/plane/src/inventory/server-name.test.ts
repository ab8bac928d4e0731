import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ObjectCache } from '@bloomery/kube';
import { ANNOTATIONS, type Server } from '@bloomery/model';
import fc from 'fast-check';
import { deriveServerName, isMeaninglessUuid, isServerName, normalUuid } from './server-identity.ts';
import { createServerNames, resolveServerName } from './server-name.ts';

const UUID = '6b121f82-24a8-4611-9d23-fa1a5ba564f0';
const ZERO = '00000000-0000-0000-0000-000000000000';
const MAC = '52:54:00:77:00:01';
const OTHER_MAC = '52:54:00:77:00:02';

function cacheOf(...servers: readonly Server[]): ObjectCache {
  return {
    get: (_kind, { name }) => servers.find(({ metadata }) => metadata.name === name) as never,
    list: () => servers as never,
  };
}

function known(name: string, mac: string, serialNumber = '', reported?: string): Server {
  return {
    apiVersion: 'metal.sidero.dev/v1alpha2',
    kind: 'Server',
    metadata: { name, ...(reported === undefined ? {} : { annotations: { [ANNOTATIONS.reportedUuid]: reported } }) },
    spec: { accepted: true, hardware: { system: { serialNumber }, network: { interfaces: [{ mac }] } } },
  };
}

const resolve = (uuid: string, serial: string, macs: readonly string[], ...servers: readonly Server[]) =>
  resolveServerName({ uuid, serial, macs }, cacheOf(...servers), true);

describe('the name of a machine', () => {
  it('is its UUID in lower case', () => {
    assert.equal(resolve(` ${UUID.toUpperCase()} `, '', [MAC])?.name, UUID);
  });

  for (const uuid of [ZERO, ZERO.replaceAll('0', 'F'), '03000200-0400-0500-0006-000700080009']) {
    it(`is derived where the UUID is ${uuid}`, () => {
      const found = resolve(uuid, 'S1', [MAC]);
      assert.equal(found?.derived, 'meaningless');
      assert.match(found?.name ?? '', /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      assert.equal(found?.name, resolve(uuid, 'S1', [MAC])?.name);
      assert.notEqual(found?.name, resolve(uuid, 'S1', [OTHER_MAC])?.name);
      assert.notEqual(found?.name, resolve(uuid, 'S2', [MAC])?.name);
    });
  }

  it('does not change when a filler serial number is worded otherwise', () => {
    const names = ['', 'Default string', 'To Be Filled By O.E.M.', '0000'].map((s) => resolve(ZERO, s, [MAC])?.name);
    assert.equal(new Set(names).size, 1);
  });

  it('cannot be found for a machine that says nothing', () => {
    assert.equal(resolve(ZERO, 'Default string', []), undefined);
    for (const uuid of ['', ' ', 'a b', '../etc', 'ü', '-x', 'x'.repeat(300)]) {
      assert.equal(resolve(uuid, 'S1', [MAC]), undefined, uuid);
    }
  });

  it('is derived for the second machine with one UUID, and stays so with one address left', () => {
    const holder = known(UUID, MAC, 'S1');
    const second = resolve(UUID, 'S2', [OTHER_MAC], holder);
    assert.equal(second?.derived, 'duplicate');
    const derived = known(second?.name ?? '', OTHER_MAC, 'S2', UUID);
    assert.equal(resolve(UUID, 'S2', ['52:54:00:77:00:09', OTHER_MAC], holder, derived)?.name, second?.name);
    assert.equal(resolve(UUID, 'S1', [MAC], holder, derived)?.name, UUID);
  });

  it('stays when network cards are replaced and the serial number is the same', () => {
    assert.equal(resolve(UUID, 'S1', [OTHER_MAC], known(UUID, MAC, 'S1'))?.name, UUID);
  });

  it('adopts a Server that was made by hand', () => {
    const byHand = { ...known(UUID, MAC), spec: { accepted: true } };
    assert.deepEqual(resolve(UUID, 'S1', [OTHER_MAC], byHand), { name: UUID, candidates: [UUID] });
  });

  it('is the same for the boot loader, which tells one address, as for the agent', () => {
    const agent = resolve(ZERO, 'S1', [MAC, OTHER_MAC]);
    const names = createServerNames(cacheOf());
    assert.equal(names(ZERO, MAC, 'S1'), agent?.name);
    assert.ok(agent?.candidates.includes(names(ZERO, OTHER_MAC, 'S1') ?? ''));
    const registered = createServerNames(cacheOf(known(agent?.name ?? '', MAC, 'S1', ZERO)));
    assert.equal(registered(ZERO, MAC.toUpperCase(), 'S1'), agent?.name);
  });

  it('always names an object, whatever the machine says', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 400 }), fc.string({ maxLength: 400 }), (uuid, serial) => {
        const found = resolve(uuid, serial, [MAC]);
        if (found !== undefined) assert.ok(isServerName(found.name) && !isMeaninglessUuid(found.name));
        assert.equal(normalUuid(normalUuid(uuid)), normalUuid(uuid));
      }),
      { verbose: true },
    );
  });

  it('is not derived from nothing', () => assert.equal(deriveServerName('none', ''), undefined));
});
