import { type BoundAddress, hostPort } from '@bloomery/ports';
import { linkApiText, linkSinks } from '@bloomery/siderolink';
import { type MachineLinkApi, PLAIN_LINK_API } from './machine-link-api.ts';

/** Arguments that every agent kernel gets; the first two are for people who read its console. */
const AGENT_DEFAULTS = ['consoleblank=0', 'printk.devkmsg=on'] as const;

/** What the agent's kernel is told. */
export interface AgentArgs {
  readonly endpoint: BoundAddress;
  /** Lower case with colons; empty when the boot script did not know it. */
  readonly mac: string;
  /** Authorises the agent's reports of this boot. */
  readonly token?: string;
  /** The operator's arguments: a key given here replaces all defaults of that key. */
  readonly extra: readonly string[];
}

/** The kernel arguments of the agent. */
export function agentKernelArgs({ endpoint, mac, token, extra }: AgentArgs): readonly string[] {
  const defaults = [
    ...AGENT_DEFAULTS,
    'console=tty0',
    'console=ttyS0',
    'initrd=initramfs.xz',
    'panic=30',
    `sidero.mac=${mac}`,
    `sidero.endpoint=${hostPort(endpoint)}`,
    ...(token === undefined ? [] : [`sidero.token=${token}`]),
  ];
  return mergeArgsByKey(defaults, extra);
}

/** What an allocated machine's kernel is told beside the Environment's own arguments. */
export interface EnvironmentArgs {
  readonly endpoint: BoundAddress;
  /** Our address on the link; absent while there is none: then the two link arguments are left out. */
  readonly linkAddress: string | undefined;
  /** How the machine calls the link's API; as Sidero's machines do unless given. */
  readonly linkApi?: MachineLinkApi;
  /** Name under which the machine asks for its configuration where that is not its UUID; else empty: the machine fills it in. */
  readonly uuid: string;
  /** Authorises `/configdata` for this boot. */
  readonly token?: string;
}

/** Whether the Environment says itself where its machines get their configuration. */
export function bringsOwnConfig(args: readonly string[]): boolean {
  return args.some((arg) => arg.startsWith('talos.config='));
}

/** The Environment's arguments, in order, and ours where it does not bring its own. */
export function environmentKernelArgs(own: readonly string[], args: EnvironmentArgs): readonly string[] {
  const at = hostPort(args.endpoint);
  const query = `${args.token === undefined ? '' : `t=${args.token}&`}uuid=${args.uuid}`;
  const sinks = args.linkAddress === undefined ? undefined : linkSinks(args.linkAddress);
  const ours = [
    `talos.config=http://${at}/configdata?${query}`,
    `siderolink.api=${linkApiText({ ...(args.linkApi ?? PLAIN_LINK_API), endpoint: args.endpoint }, 'argument')}`,
    ...(sinks === undefined ? [] : [`talos.logging.kernel=${sinks.kernelLog}`, `talos.events.sink=${sinks.events}`]),
  ];
  const missing = ours.filter((arg) => !own.some((o) => o.startsWith(arg.slice(0, arg.indexOf('=') + 1))));
  return [...own, ...missing];
}

/** Merge by key: a key of `extra` replaces all values of that key where it first stood, new keys follow at the end. */
export function mergeArgsByKey(base: readonly string[], extra: readonly string[]): readonly string[] {
  const byKey = grouped(base);
  for (const [key, values] of grouped(extra)) byKey.set(key, values);
  return [...byKey.values()].flat();
}

function grouped(args: readonly string[]): Map<string, string[]> {
  const byKey = new Map<string, string[]>();
  for (const arg of args) {
    const key = arg.split('=', 1)[0] ?? arg;
    const values = byKey.get(key);
    if (values === undefined) byKey.set(key, [arg]);
    else values.push(arg);
  }
  return byKey;
}
