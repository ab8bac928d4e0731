import type { DeviceBond } from '../config/node-config.ts';
import { isBondWord } from '../links/bond-master.ts';
import type { ReadArgument } from './ip-argument.ts';

/** What one `bond=` argument asks for. */
export interface BondArgument {
  readonly name: string;
  readonly interfaces: readonly string[];
  /** Under their names in the machine configuration. */
  readonly options: DeviceBond['options'];
  /** 0: the kernel's. */
  readonly mtu: number;
}

/** What one `vlan=` argument asks for. */
export interface VlanArgument {
  readonly vlanId: number;
  readonly parent: string;
}

const OPTION_TEXTS: ReadonlyMap<string, string> = new Map([
  ['mode', 'mode'],
  ['xmit_hash_policy', 'xmitHashPolicy'],
  ['lacp_rate', 'lacpRate'],
  ['arp_validate', 'arpValidate'],
  ['arp_all_targets', 'arpAllTargets'],
  ['primary', 'primary'],
  ['primary_reselect', 'primaryReselect'],
  ['fail_over_mac', 'failOverMac'],
  ['ad_select', 'adSelect'],
]);

const OPTION_NUMBERS: ReadonlyMap<string, string> = new Map([
  ['miimon', 'miimon'],
  ['updelay', 'updelay'],
  ['downdelay', 'downdelay'],
  ['arp_interval', 'arpInterval'],
  ['resend_igmp', 'resendIgmp'],
  ['min_links', 'minLinks'],
  ['lp_interval', 'lpInterval'],
  ['packets_per_slave', 'packetsPerSlave'],
  ['num_grat_arp', 'numPeerNotif'],
  ['num_unsol_na', 'numPeerNotif'],
  ['all_slaves_active', 'allSlavesActive'],
]);

/** Links of a bond that names none. @see dracut.cmdline(7) */
const DEFAULT_LINKS = ['eth0', 'eth1'];

/**
 * Read `bond=NAME[:LINK,LINK[:OPTION=VALUE,OPTION=VALUE[:MTU]]]`. Addresses of `arp_ip_target` are separated by semicolons.
 *
 * @see dracut.cmdline(7)
 */
export function readBondArgument(text: string): ReadArgument<BondArgument> {
  const [name = '', links = '', options = '', mtu = ''] = text.split(':');
  if (name === '') return { problem: 'it names no bond' };
  if (mtu !== '' && !/^\d{1,5}$/.test(mtu)) return { problem: `MTU "${mtu.slice(0, 64)}" is no number` };
  const read = readBondOptions(options);
  if ('problem' in read) return read;
  const interfaces = links === '' ? DEFAULT_LINKS : links.split(',').filter((link) => link !== '');
  return { value: { name, interfaces, options: read.options, mtu: Number(mtu) } };
}

function readBondOptions(text: string): { readonly options: DeviceBond['options'] } | { readonly problem: string } {
  const options: Record<string, string | number | boolean | readonly string[]> = {};
  for (const pair of text.split(',')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const [name, value] = equals < 0 ? [pair, ''] : [pair.slice(0, equals), pair.slice(equals + 1)];
    const textName = OPTION_TEXTS.get(name);
    const numberName = OPTION_NUMBERS.get(name);
    if (value === '') return { problem: `option ${name.slice(0, 64)} has no value` };
    if (textName !== undefined && !isBondWord(textName, value))
      return { problem: `option ${name}: "${value.slice(0, 64)}" is not known` };
    if (textName !== undefined) options[textName] = value;
    else if (name === 'arp_ip_target') options['arpIPTarget'] = value.split(';').filter((target) => target !== '');
    else if (name !== 'use_carrier' && numberName === undefined)
      return { problem: `unknown option ${name.slice(0, 64)}` };
    else if (!/^\d{1,9}$/.test(value)) return { problem: `option ${name}: "${value.slice(0, 64)}" is no number` };
    else if (numberName === undefined) options['useCarrier'] = value === '1';
    else options[numberName] = Number(value);
  }
  return { options };
}

/** Read `vlan=NAME:LINK`; the VLAN's number stands in its name, behind a dot or `vlan`. @see dracut.cmdline(7) */
export function readVlanArgument(text: string): ReadArgument<VlanArgument> {
  const colon = text.indexOf(':');
  const [name, parent] = colon < 0 ? [text, ''] : [text.slice(0, colon), text.slice(colon + 1)];
  if (parent === '') return { problem: 'it names no link behind a colon' };
  const digits = /^(?:[^.]+\.|vlan)(\d{1,4})$/.exec(name)?.[1];
  if (digits === undefined) return { problem: `"${name.slice(0, 64)}" has no VLAN number, as in eth0.5 or vlan5` };
  const vlanId = Number(digits);
  if (vlanId < 1 || vlanId > 4095) return { problem: `VLAN ${vlanId} is not between 1 and 4095` };
  return { value: { vlanId, parent } };
}
