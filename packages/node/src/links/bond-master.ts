import {
  type AD_LACP_ACTIVE,
  AD_SELECT,
  ARP_ALL_TARGETS,
  ARP_VALIDATE,
  BOND_MODE,
  BOND_XMIT_HASH_POLICY,
  FAIL_OVER_MAC,
  LACP_RATE,
  PRIMARY_RESELECT,
} from '../resources/enumerations.ts';
import { LinkSpec } from '../resources/links.ts';

export type BondMaster = LinkSpec['bondMaster'];

/** Options of a bond as they are written: `bond` of an interface, a `bond=` argument, or a BondConfig document. */
export type BondOptions = Readonly<Record<string, unknown>>;

/** Field of the spec, its names, and how it is called in documents where that differs from `bond` of an interface. */
type WordField = readonly [field: keyof BondMaster, names: Readonly<Record<string, number>>, inDocuments?: string];
type NumberField = readonly [field: keyof BondMaster, inInterfaces?: string, inDocuments?: string];

const WORDS: readonly WordField[] = [
  ['mode', BOND_MODE, 'bondMode'],
  ['xmitHashPolicy', BOND_XMIT_HASH_POLICY],
  ['lacpRate', LACP_RATE],
  ['arpValidate', ARP_VALIDATE],
  ['arpAllTargets', ARP_ALL_TARGETS],
  ['primaryReselect', PRIMARY_RESELECT],
  ['failOverMac', FAIL_OVER_MAC],
  ['adSelect', AD_SELECT],
];

const NUMBERS: readonly NumberField[] = [
  ['miimon'],
  ['updelay'],
  ['downdelay'],
  ['arpInterval'],
  ['resendIgmp', 'resendIgmp', 'resendIGMP'],
  ['minLinks'],
  ['lpInterval'],
  ['packetsPerSlave'],
  ['numPeerNotif'],
  ['tlbLogicalLb', 'tlbDynamicLb', 'tlbLogicalLb'],
  ['allSlavesActive'],
  ['adActorSysPrio'],
  ['adUserPortKey'],
  ['peerNotifyDelay', 'peerNotifyDelay', 'peerNotifDelay'],
  ['missedMax'],
];

/** Modes whose members are watched by their carrier only, never by ARP. */
const WITHOUT_ARP: ReadonlySet<string> = new Set(['802.3ad', 'balance-tlb', 'balance-alb']);

/** Whether members of a bond of this mode may be watched by ARP. */
export const bondWatchesByArp = (mode: string): boolean => !WITHOUT_ARP.has(mode);

/** Whether a word is one of those that a setting of a bond has; any is, where the setting has no words of its own. */
export function isBondWord(field: string, word: string): boolean {
  const names = WORDS.find(([of]) => of === field)?.[1];
  return names === undefined || Object.hasOwn(names, word);
}

/** Settings of a bond. What is not written has Talos' defaults. @param primary index of the preferred member; 0: none */
export function bondMaster(options: BondOptions, primary: number | undefined): BondMaster {
  const words = WORDS.map(([field, names, inDocuments]) => {
    const word = options[inDocuments ?? field] ?? options[field];
    return typeof word === 'string' && Object.hasOwn(names, word) ? { [field]: word } : {};
  });
  const numbers = NUMBERS.map(([field, inInterfaces, inDocuments]) => {
    const number = options[inDocuments ?? field] ?? options[inInterfaces ?? field];
    return typeof number === 'number' ? { [field]: number } : {};
  });
  const master: BondMaster = {
    ...LinkSpec.make().bondMaster,
    ...Object.assign({}, ...words, ...numbers),
    primary,
    arpIpTargets: texts(options['arpIpTargets'] ?? options['arpIPTarget']),
    nsIp6Targets: texts(options['nsIp6Targets']),
    adLacpActive: lacpActive(options['adLACPActive']),
  };
  return withDefaults(master);
}

/** What the kernel has when nothing is said: so that a spec can be compared with it. */
function withDefaults(master: BondMaster): BondMaster {
  const { mode, adActorSysPrio, missedMax } = master;
  const isAdaptive = mode === 'balance-tlb' || mode === 'balance-alb';
  return {
    ...master,
    // Since Linux 6.18 nothing else can be chosen.
    useCarrier: true,
    resendIgmp: master.resendIgmp || 1,
    lpInterval: master.lpInterval || 1,
    packetsPerSlave: master.packetsPerSlave || 1,
    numPeerNotif: master.numPeerNotif || 1,
    tlbLogicalLb: isAdaptive ? master.tlbLogicalLb : 1,
    adActorSysPrio: mode === '802.3ad' ? adActorSysPrio || 65_535 : adActorSysPrio,
    missedMax: bondWatchesByArp(mode) ? missedMax || 2 : missedMax,
  };
}

const texts = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((text) => typeof text === 'string') : [];

function lacpActive(value: unknown): keyof typeof AD_LACP_ACTIVE | undefined {
  // Readers of YAML 1.1 take the words for booleans.
  if (value === true || value === 'on') return 'on';
  return value === false || value === 'off' ? 'off' : undefined;
}
