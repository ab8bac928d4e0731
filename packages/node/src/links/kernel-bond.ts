import { isDeepStrictEqual } from 'node:util';
import type { KernelBond } from '../kernel/kernel.ts';
import {
  AD_LACP_ACTIVE,
  AD_SELECT,
  ARP_ALL_TARGETS,
  ARP_VALIDATE,
  BOND_MODE,
  BOND_XMIT_HASH_POLICY,
  FAIL_OVER_MAC,
  LACP_RATE,
  PRIMARY_RESELECT,
} from '../resources/enumerations.ts';
import { numberOf } from '../resources/number-of.ts';
import { type BondMaster, bondWatchesByArp } from './bond-master.ts';

const MODES_WITH_PRIMARY: ReadonlySet<string> = new Set(['active-backup', 'balance-tlb', 'balance-alb']);

/**
 * The settings of a bond that its mode has: others are refused by the kernel, or answered with what they were.
 *
 * @param present what the bond has; empty for a new one. Settings that older kernels do not know are left out unless they are needed.
 */
export function kernelBond(master: BondMaster, present: KernelBond = {}): KernelBond {
  const { mode, primary, miimon } = master;
  return {
    mode: numberOf(BOND_MODE, mode),
    xmitHashPolicy: numberOf(BOND_XMIT_HASH_POLICY, master.xmitHashPolicy),
    arpAllTargets: numberOf(ARP_ALL_TARGETS, master.arpAllTargets),
    primaryReselect: numberOf(PRIMARY_RESELECT, master.primaryReselect),
    failOverMac: numberOf(FAIL_OVER_MAC, master.failOverMac),
    adSelect: numberOf(AD_SELECT, master.adSelect),
    miimon,
    resendIgmp: master.resendIgmp,
    minLinks: master.minLinks,
    lpInterval: master.lpInterval,
    numPeerNotif: master.numPeerNotif,
    allSlavesActive: master.allSlavesActive,
    useCarrier: Number(master.useCarrier),
    ...(miimon === 0 ? {} : delays(master)),
    ...(mode === '802.3ad' ? lacp(master, present) : {}),
    ...(mode === 'balance-rr' ? { packetsPerSlave: master.packetsPerSlave } : {}),
    ...(mode === 'balance-tlb' || mode === 'balance-alb' ? { tlbLogicalLb: master.tlbLogicalLb } : {}),
    ...(bondWatchesByArp(mode) ? arp(master, present) : {}),
    ...(primary !== undefined && MODES_WITH_PRIMARY.has(mode) ? { primary } : {}),
  };
}

const delays = ({ updelay, downdelay, peerNotifyDelay }: BondMaster): KernelBond => ({
  updelay,
  downdelay,
  peerNotifyDelay,
});

/** LACPDUs are sent unless that is switched off; Linux before 5.16 does not know the switch. */
function lacp(master: BondMaster, present: KernelBond): KernelBond {
  const active = master.adLacpActive ?? (present['adLacpActive'] === AD_LACP_ACTIVE.off ? 'on' : undefined);
  return {
    lacpRate: numberOf(LACP_RATE, master.lacpRate),
    adActorSysPrio: master.adActorSysPrio,
    adUserPortKey: master.adUserPortKey,
    ...(active === undefined ? {} : { adLacpActive: numberOf(AD_LACP_ACTIVE, active) }),
  };
}

/** Linux before 5.18 does not know targets of IPv6. */
function arp(master: BondMaster, present: KernelBond): KernelBond {
  const { arpInterval, missedMax, arpIpTargets, nsIp6Targets } = master;
  const isAboutIpv6 = nsIp6Targets.length > 0 || listOf(present['nsIp6Targets']).length > 0;
  return {
    arpValidate: numberOf(ARP_VALIDATE, master.arpValidate),
    arpInterval,
    missedMax,
    arpIpTargets,
    ...(isAboutIpv6 ? { nsIp6Targets } : {}),
  };
}

/**
 * Whether a bond lacks any of the wanted settings. A primary counts only while the kernel names one, that is while it is a member;
 * numbers that the kernel does not tell cannot be compared.
 *
 * @see spec/node.md section 4
 */
export function isBondDifferent(wanted: KernelBond, present: KernelBond): boolean {
  return Object.entries(wanted).some(([key, want]) => {
    const have = present[key];
    if (typeof want !== 'number') return !isDeepStrictEqual(want, listOf(have));
    if (key === 'primary') return want !== 0 && !!have && want !== have;
    return have !== undefined && want !== have;
  });
}

const listOf = (value: KernelBond[string] | undefined): readonly string[] => (typeof value === 'object' ? value : []);
