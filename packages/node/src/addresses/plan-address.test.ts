import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type IpPrefix, parsePrefix } from '../ip/ip-prefix.ts';
import type { KernelAddress } from '../kernel/kernel.ts';
import { createLiveView, type LiveView } from '../kernel/live-view.ts';
import type { AddressSpec } from '../resources/addresses.ts';
import { ADDRESS_FLAGS } from '../resources/enumerations.ts';
import { createFakeKernel } from '../testing/index.ts';
import { addressSpec } from './configured-addresses.ts';
import { type AddressPlan, kernelManagedFlags, planAddress } from './plan-address.ts';

const prefix = (text: string): IpPrefix => parsePrefix(text) ?? assert.fail();
const spec = (text: string, values: Partial<AddressSpec> = {}): AddressSpec => ({
  ...addressSpec({ linkName: 'eth0', prefix: prefix(text), layer: 'configuration' }),
  ...values,
});

/** A view with eth0 (index 7, alias `uplink`, also enp1s0) and this address on it. */
function viewWith(present?: Partial<KernelAddress>): LiveView {
  const view = createLiveView();
  const card = createFakeKernel().plug({ name: 'eth0', index: 7, alias: 'uplink', altNames: ['enp1s0'] });
  view.putLink({ ...card, index: 7, alias: 'uplink', altNames: ['enp1s0'] });
  if (present === undefined) return view;
  const base = {
    linkIndex: 7,
    family: 2,
    address: '10.0.0.5/24',
    local: '',
    broadcast: '',
    anycast: '',
    multicast: '',
  };
  view.putAddress({ ...base, scope: 0, flags: ADDRESS_FLAGS.permanent, priority: 0, ...present });
  return view;
}

const added = (address: string, more = {}) => ({ linkIndex: 7, address, scope: 0, flags: 0, priority: 0, ...more });
const V6 = { family: 10, address: 'fd00::5/64' };

const cases: [name: string, spec: AddressSpec, view: LiveView, want: AddressPlan][] = [
  ['waits for its link', spec('10.0.0.5/24', { linkName: 'eth9' }), viewWith(), { do: 'wait', reason: 'LinkMissing' }],
  ['is added', spec('10.0.0.5/24'), viewWith(), { do: 'put', address: added('10.0.0.5/24') }],
  [
    'is added under the alias of its link',
    spec('10.0.0.5/24', { linkName: 'uplink' }),
    viewWith(),
    { do: 'put', address: added('10.0.0.5/24') },
  ],
  [
    'is added under another name of its link',
    spec('10.0.0.5/24', { linkName: 'enp1s0' }),
    viewWith(),
    { do: 'put', address: added('10.0.0.5/24') },
  ],
  ['is left alone when it is there', spec('10.0.0.5/24'), viewWith({}), { do: 'nothing' }],
  ['of another length is another one', spec('10.0.0.5/25'), viewWith({}), { do: 'put', address: added('10.0.0.5/25') }],
  [
    'is left alone whatever flags the kernel adds',
    spec('10.0.0.5/24'),
    viewWith({ flags: ADDRESS_FLAGS.permanent | ADDRESS_FLAGS.temporary }),
    { do: 'nothing' },
  ],
  [
    'is changed in place for another metric',
    spec('10.0.0.5/24', { priority: 99 }),
    viewWith({}),
    { do: 'put', address: added('10.0.0.5/24', { priority: 99 }) },
  ],
  [
    'is made permanent in place',
    spec('10.0.0.5/24'),
    viewWith({ flags: 0 }),
    { do: 'put', address: added('10.0.0.5/24') },
  ],
  [
    'is renewed for another scope, which the kernel cannot change',
    spec('10.0.0.5/24', { scope: 'link' }),
    viewWith({}),
    { do: 'renew', address: added('10.0.0.5/24', { scope: 253 }) },
  ],
  [
    'is renewed for other flags of IPv4',
    spec('10.0.0.5/24', { flags: 0x280 }),
    viewWith({}),
    { do: 'renew', address: added('10.0.0.5/24', { flags: 0x200 }) },
  ],
  [
    'is changed in place for other flags of IPv6',
    spec('fd00::5/64', { flags: 0x280 }),
    viewWith(V6),
    { do: 'put', address: added('fd00::5/64', { flags: 0x200 }) },
  ],
  [
    'of IPv6 keeps the scope that the kernel gives it',
    spec('fe80::5/64'),
    viewWith({ family: 10, address: 'fe80::5/64', scope: 253 }),
    { do: 'nothing' },
  ],
  [
    'is left alone while others are asked for it',
    spec('fd00::5/64'),
    viewWith({ ...V6, flags: 0xc0 }),
    { do: 'nothing' },
  ],
  [
    'that another host has is reported',
    spec('fd00::5/64'),
    viewWith({ ...V6, flags: 0x88 }),
    { do: 'report', reason: 'DuplicateAddress' },
  ],
];

describe('the plan of an address', () => {
  for (const [name, given, view, want] of cases) {
    it(name, () => assert.deepEqual(planAddress(given, view), want));
  }

  it('leaves out flags that only the kernel sets, and names them', () => {
    const given = spec('fd00::5/64', {
      flags: ADDRESS_FLAGS.tentative | ADDRESS_FLAGS.nodad | ADDRESS_FLAGS.deprecated,
    });
    const plan = planAddress(given, viewWith());
    assert.equal(plan.do === 'put' && plan.address.flags, ADDRESS_FLAGS.nodad);
    assert.deepEqual(kernelManagedFlags(given), ['deprecated', 'tentative']);
    assert.deepEqual(kernelManagedFlags(spec('fd00::5/64')), []);
  });
});
