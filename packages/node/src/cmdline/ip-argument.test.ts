import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type IpArgument, readIpArgument } from './ip-argument.ts';

/** An argument with its addresses as text. */
function plain(text: string): unknown {
  const read = readIpArgument(text);
  if (read === 'nothing' || 'problem' in read) return read;
  const { address, gateway, dnsServers, timeServers, ...rest }: IpArgument = read.value;
  const texts = (list: readonly { readonly text: string }[]): string => list.map((item) => item.text).join(' ');
  return { ...rest, address: address?.text, gateway: gateway?.text, dns: texts(dnsServers), ntp: texts(timeServers) };
}

const NOTHING = { device: '', dhcp: false, hostname: '', address: undefined, gateway: undefined, dns: '', ntp: '' };

describe('ip=', () => {
  const cases: [name: string, text: string, want: unknown][] = [
    ['dhcp alone asks for what happens anyway', 'dhcp', 'nothing'],
    ['names a link that does DHCP', 'eth1:dhcp', { ...NOTHING, device: 'eth1', dhcp: true }],
    [
      'has ten fields',
      '172.20.0.2:172.21.0.1:172.20.0.1:255.255.255.0:master1:eth1::10.0.0.1:10.0.0.2:10.0.0.3',
      {
        device: 'eth1',
        dhcp: false,
        hostname: 'master1',
        address: '172.20.0.2/24',
        gateway: '172.20.0.1',
        dns: '10.0.0.1 10.0.0.2',
        ntp: '10.0.0.3',
      },
    ],
    ['may end after the address, which is then alone', '10.3.4.5', { ...NOTHING, address: '10.3.4.5/32' }],
    [
      'has IPv6 in brackets, and lengths as netmask',
      '[2001:db8::a]::[2001:db8::b]:64:n2:eth1:off:[2001:4860:4860::6464]:[2001:4860:4860::64]',
      {
        ...NOTHING,
        device: 'eth1',
        hostname: 'n2',
        address: '2001:db8::a/64',
        gateway: '2001:db8::b',
        dns: '2001:4860:4860::6464 2001:4860:4860::64',
      },
    ],
    ['does DHCP where the seventh field says so', ':::::eth1:dhcp', { ...NOTHING, device: 'eth1', dhcp: true }],
    ['gives only servers', ':::::::10.0.0.1::10.0.0.9', { ...NOTHING, dns: '10.0.0.1', ntp: '10.0.0.9' }],
    ['without anything asks for nothing much', '', NOTHING],
    ['with a wrong address is refused', '10.0.0.256', { problem: 'client "10.0.0.256" is no IP address' }],
    [
      'says everything that is wrong',
      'x::y:24',
      { problem: 'client "x" is no IP address, gateway "y" is no IP address' },
    ],
    [
      'with holes in its mask is refused',
      '10.0.0.1:::255.0.255.0',
      { problem: 'netmask "255.0.255.0" is neither a length nor a mask' },
    ],
    [
      'with a mask that is too long is refused',
      '10.0.0.1:::33',
      { problem: 'netmask "33" is neither a length nor a mask' },
    ],
    [
      'with the mask of another family is refused',
      '[fd00::1]:::255.255.255.0',
      { problem: 'netmask "255.255.255.0" is neither a length nor a mask' },
    ],
  ];
  for (const [name, text, want] of cases) it(name, () => assert.deepEqual(plain(text), want));

  it('is read whatever it is', () => {
    fc.assert(fc.property(fc.string({ maxLength: 100 }), (text) => void readIpArgument(text)));
    fc.assert(fc.property(fc.stringMatching(/^[[\]:.0-9a-f]{0,60}$/), (text) => void readIpArgument(text)));
  });
});
