import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { announcementFrame } from './announce-address.ts';

const hex = (frame: Buffer | undefined): string | undefined => frame?.toString('hex');

describe('the announcement of an address', () => {
  it('is a gratuitous ARP request to all, for IPv4', () => {
    const [mac, ip] = ['020000000001', '0a000005'];
    const arp = `00010800060400 01 ${mac} ${ip} 000000000000 ${ip}`.replaceAll(' ', '');
    assert.equal(hex(announcementFrame('02:00:00:00:00:01', '10.0.0.5/24')), `ffffffffffff${mac}0806${arp}`);
  });

  it('is an unsolicited neighbour advertisement to all nodes, for IPv6', () => {
    const frame = announcementFrame('02:00:00:00:00:01', 'fd00::5/64');
    assert.ok(frame);
    const allNodes = 'ff020000000000000000000000000001';
    const own = 'fd000000000000000000000000000005';
    assert.equal(frame.subarray(0, 14).toString('hex'), '33330000000102000000000186dd');
    assert.equal(frame.subarray(14, 54).toString('hex'), `6000000000203aff${own}${allNodes}`);
    // Type 136, override, the target, and the link-layer address of the target.
    assert.equal(frame.subarray(54, 56).toString('hex'), '8800');
    assert.equal(frame.subarray(58).toString('hex'), `20000000${own}0201020000000001`);
    assert.equal(sum(frame), 0xffff);
  });

  it('is none for links or addresses that have no such form', () => {
    for (const [mac, address] of [
      ['', '10.0.0.5/24'],
      ['02:00:00:00:00:01:00:00', '10.0.0.5/24'],
      ['02:00:00:00:00:01', 'nonsense'],
    ] as const)
      assert.equal(announcementFrame(mac, address), undefined);
  });
});

/** Of the pseudo header and the message: all ones when the checksum in it is right (RFC 4443 section 2.3). */
function sum(frame: Buffer): number {
  const body = frame.subarray(54);
  const all = Buffer.concat([frame.subarray(22, 54), Buffer.from([0, 0, 0, body.length, 0, 0, 0, 58]), body]);
  let total = 0;
  for (let at = 0; at < all.length; at += 2) total += all.readUInt16BE(at);
  while (total > 0xffff) total = (total & 0xffff) + (total >>> 16);
  return total;
}
