import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, it } from 'node:test';
import { DHCP_OPTION, type DhcpPacket, decodeDhcp, encodeDhcp, formatMac, readDhcpText } from '@bloomery/wire';
import { planDhcpProxy } from './dhcp-proxy-plan.ts';

interface Case {
  readonly name: string;
  readonly serverIP: string;
  readonly apiPort: number;
  readonly request: string;
  readonly note?: string;
  readonly doBetter?: string;
  readonly expect: {
    readonly action: 'offer' | 'drop';
    readonly op: number;
    readonly xid: string;
    readonly flags: number;
    readonly yiaddr: string;
    readonly siaddr: string;
    readonly giaddr: string;
    readonly chaddr: string;
    readonly bootfile: string;
    readonly tftpServerName: string | null;
    readonly guid: string | null;
  };
}

const vectors = process.env['VECTORS'] ?? resolve(import.meta.dirname, '../../../../../test/vectors');
const file = resolve(vectors, 'boot/dhcp-proxy.json');

function answerTo(c: Case): DhcpPacket | undefined {
  let request: DhcpPacket;
  try {
    request = decodeDhcp(Buffer.from(c.request, 'hex'));
  } catch {
    return undefined;
  }
  const endpoint = { host: c.serverIP, port: c.apiPort };
  const plan = planDhcpProxy(request, 67, { serverAddress: c.serverIP, endpoint });
  return plan.do === 'drop' ? undefined : decodeDhcp(encodeDhcp(plan.reply, { maxBytes: plan.maxBytes }));
}

/** What upstream offers, and what the file says is as good or better for two kinds of clients. */
function acceptedFiles(c: Case, reply: DhcpPacket): readonly string[] {
  const isIpxe = c.expect.bootfile.startsWith('tftp://');
  const isRaspberry = reply.options.get(DHCP_OPTION.VENDOR_SPECIFIC)?.includes(9) === true;
  if (isIpxe) return [c.expect.bootfile, `http://${c.serverIP}:${c.apiPort}/boot.ipxe`];
  return isRaspberry ? ['snp-arm64.efi'] : [c.expect.bootfile];
}

if (!existsSync(file)) it.skip(`dhcp-proxy vectors: ${file} does not exist`);
else {
  const { cases }: { readonly cases: readonly Case[] } = JSON.parse(readFileSync(file, 'utf8'));
  describe('DHCP proxy vectors', () => {
    for (const c of cases) {
      it(c.name, () => {
        const reply = answerTo(c);
        assert.equal(reply === undefined ? 'drop' : 'offer', c.expect.action);
        if (reply === undefined) return;
        const text = (code: number): string | null => {
          const value = reply.options.get(code);
          return value === undefined ? null : readDhcpText(value);
        };
        const hex = (code: number): string | null => {
          const value = reply.options.get(code);
          return value === undefined ? null : Buffer.from(value).toString('hex');
        };
        const { expect } = c;
        assert.deepEqual(
          {
            op: reply.op,
            xid: reply.xid.toString(16).padStart(8, '0'),
            flags: reply.flags,
            yiaddr: reply.yiaddr,
            siaddr: reply.siaddr,
            giaddr: reply.giaddr,
            chaddr: formatMac(reply.chaddr),
            tftpServerName: text(DHCP_OPTION.TFTP_SERVER),
            guid: hex(DHCP_OPTION.CLIENT_GUID),
          },
          {
            op: expect.op,
            xid: expect.xid,
            flags: expect.flags,
            yiaddr: expect.yiaddr,
            siaddr: expect.siaddr,
            giaddr: expect.giaddr,
            chaddr: expect.chaddr,
            tftpServerName: expect.tftpServerName,
            guid: expect.guid,
          },
        );
        const bootFile = text(DHCP_OPTION.BOOT_FILE) ?? '';
        assert.ok(acceptedFiles(c, reply).includes(bootFile), bootFile);
        const isHttp = bootFile.startsWith('http') && bootFile.includes('/tftp/');
        assert.equal(text(DHCP_OPTION.VENDOR_CLASS), isHttp ? 'HTTPClient' : 'PXEClient');
        assert.equal(hex(DHCP_OPTION.MESSAGE_TYPE), '02');
        assert.equal(hex(DHCP_OPTION.SERVER_ID), Buffer.from(c.serverIP.split('.').map(Number)).toString('hex'));
        if (!isHttp) {
          assert.equal(reply.file, bootFile);
          assert.equal(hex(DHCP_OPTION.VENDOR_SPECIFIC)?.slice(0, 6), '060108');
        }
      });
    }
  });
}
