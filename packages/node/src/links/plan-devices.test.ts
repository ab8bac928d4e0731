import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Device } from '../config/node-config.ts';
import { planDevices } from './plan-devices.ts';
import { linkStatus } from './testing/link-status.ts';
import { deviceOf } from './testing/link-world.ts';

const links = [
  linkStatus('eth0', { driver: 'alx' }),
  linkStatus('eth1', { driver: 'e1000e' }),
  linkStatus('eth2', { driver: 'e1000e' }),
];
const options = { mode: 'active-backup' };

function interfacesById(devices: readonly Device[]): Readonly<Record<string, string>> {
  return Object.fromEntries([...planDevices(devices, links).devices].map(([id, device]) => [id, device.interface]));
}

describe('interfaces of the configuration', () => {
  it('are numbered as they are written; several matches get numbers of their own', () => {
    const devices = [
      deviceOf('eth9'),
      deviceOf('', { deviceSelector: { driver: 'alx' } }),
      deviceOf('', { deviceSelector: { driver: 'e*' } }),
    ];
    assert.deepEqual(interfacesById(devices), {
      'eth9/000': 'eth9',
      'eth0/001': 'eth0',
      'eth1/002/000': 'eth1',
      'eth2/002/001': 'eth2',
    });
  });

  it('keep what is written of them, without the selector', () => {
    const device = deviceOf('', { deviceSelector: { driver: 'alx' }, mtu: 9000, dhcp: true });
    const want = deviceOf('eth0', { mtu: 9000, dhcp: true });
    assert.deepEqual(planDevices([device], links).devices.get('eth0/000'), want);
  });

  it('are left out with a warning while no link matches; the others are there', () => {
    const devices = [deviceOf('', { deviceSelector: { driver: 'nosuch', physical: true } }), deviceOf('eth0')];
    assert.deepEqual(interfacesById(devices), { 'eth0/001': 'eth0' });
    const place = 'machine.network.interfaces[0]';
    const warning = `${place}: no link matches {driver: nosuch, physical: true}; it is configured as soon as one does`;
    assert.deepEqual(planDevices(devices, links).warnings, [warning]);
  });

  for (const kind of ['bond', 'bridge'] as const) {
    const empty =
      kind === 'bond' ? { interfaces: [], deviceSelectors: [], options } : { interfaces: [], deviceSelectors: [] };

    it(`that are a ${kind} have names for their selectors, and not themselves`, () => {
      const deviceSelectors = [{ driver: 'e1000e' }, { driver: 'alx' }];
      const device = deviceOf('eth2', { [kind]: { ...empty, deviceSelectors } });
      assert.deepEqual(planDevices([device], links).devices.get('eth2/000')?.[kind], {
        ...empty,
        interfaces: ['eth1', 'eth0'],
      });
    });

    it(`that are a ${kind} are not made while none of their selectors matches`, () => {
      const deviceSelectors = [{ driver: 'x' }, { busPath: 'y' }];
      const { devices, warnings } = planDevices([deviceOf('it0', { [kind]: { ...empty, deviceSelectors } })], links);
      assert.equal(devices.size, 0);
      const wanted = '{driver: x} or {busPath: y}';
      assert.deepEqual(warnings, [
        `machine.network.interfaces[0] (it0): no hardware matches ${wanted}; it is configured as soon as one does`,
      ]);
    });

    it(`that are a ${kind} with names are taken as they are`, () => {
      const device = deviceOf('it0', { [kind]: { ...empty, interfaces: ['eth0', 'later0'] } });
      assert.deepEqual(planDevices([device], links).devices.get('it0/000'), device);
    });
  }
});
