import { entriesOf, type YamlMap } from '../yaml/index.ts';
import { listAt, numberAt, textAt } from './section.ts';

/** Words that an option takes ('' is the default), and what Talos calls the option. */
const WORDS: readonly (readonly [key: string, called: string, words: readonly string[]])[] = [
  [
    'mode',
    'bond type',
    ['balance-rr', 'active-backup', 'balance-xor', 'broadcast', '802.3ad', 'balance-tlb', 'balance-alb'],
  ],
  ['xmitHashPolicy', 'xmit hash policy', ['layer2', 'layer3+4', 'layer2+3', 'encap2+3', 'encap3+4']],
  ['lacpRate', 'lacp rate', ['slow', 'fast']],
  ['arpValidate', 'arp_validate mode', ['none', 'active', 'backup', 'all', 'filter', 'filter-active', 'filter-backup']],
  ['arpAllTargets', 'arp_all_targets mode', ['any', 'all']],
  ['primaryReselect', 'primary_reselect mode', ['always', 'better', 'failure']],
  ['failOverMac', 'fail_over_mac value', ['none', 'active', 'follow']],
  ['adSelect', 'ad_select mode', ['stable', 'bandwidth', 'count']],
];

/** What is wrong with `bond` of an interface of the legacy document. */
export function bondProblems(bond: YamlMap): string[] {
  const problems: string[] = [];
  for (const [key, called, words] of WORDS) {
    const word = textAt(bond, key);
    if (word !== '' && !words.includes(word)) problems.push(`invalid ${called} ${word.slice(0, 100)}`);
  }
  return [...problems, ...delayProblems(bond), ...modeProblems(bond)];
}

function delayProblems(bond: YamlMap): string[] {
  const interval = numberAt(bond, 'miimon');
  const delays = [
    ['upDelay', numberAt(bond, 'updelay')],
    ['downDelay', numberAt(bond, 'downdelay')],
  ] as const;
  return delays.flatMap(([name, delay]) => {
    if (interval === 0) return delay === 0 ? [] : [`bond.${name} can't be set if miiMon is zero`];
    return delay % interval === 0 ? [] : [`bond.${name} should be a multiple of miiMon`];
  });
}

const LACP = ['802.3ad'];
const ADAPTIVE = ['balance-alb', 'balance-tlb'];

function modeProblems(bond: YamlMap): string[] {
  const given = textAt(bond, 'mode');
  // What Talos cannot read counts as its first mode.
  const mode = WORDS[0]?.[2].includes(given) === true ? given : 'balance-rr';
  const has = (key: string): boolean => textAt(bond, key) !== '';
  const over = (key: string, limit: number): boolean => numberAt(bond, key) > limit;
  const notIn = (name: string): string => `bond.${name} is not available in ${mode} mode`;
  const isLacp = LACP.includes(mode);
  const isAdaptive = ADAPTIVE.includes(mode);
  const rules: readonly (readonly [broken: boolean, problem: string])[] = [
    [listAt(bond, 'arpIPTarget').length > 0, 'bond.arpIPTarget is not supported'],
    [has('lacpRate') && !isLacp, 'bond.lacpRate is only available in 802.3ad mode'],
    [has('adActorSystem'), 'bond.adActorSystem is not supported'],
    [has('arpValidate') && (isLacp || isAdaptive), notIn('arpValidate')],
    [has('primary') && mode !== 'active-backup' && !isAdaptive, notIn('primary')],
    [over('arpInterval', 0) && (isLacp || isAdaptive), notIn('arpInterval')],
    [over('packetsPerSlave', 1) && mode !== 'balance-rr', notIn('packetsPerSlave')],
    [over('tlbDynamicLb', 0) && !isAdaptive, notIn('tlbDynamicTLB')],
    [over('adActorSysPrio', 0) && !isLacp, 'bond.adActorSysPrio is only available in 802.3ad mode'],
    [over('adUserPortKey', 0) && !isLacp, 'bond.adUserPortKey is only available in 802.3ad mode'],
  ];
  return rules.flatMap(([broken, problem]) => (broken ? [problem] : []));
}

/** Whether a mapping has no value but zero ones. */
export const isEmptySection = (map: YamlMap): boolean => entriesOf(map).length === 0;
