import type { EventRecorder, ObjectCache } from '@bloomery/kube';
import { environment, type Server, server, serverBinding, serverClass } from '@bloomery/model';
import type { BoundAddress } from '@bloomery/ports';
import { parseMac } from '@bloomery/wire';
import type { BootMarks } from './boot-marks.ts';
import type { BootSessions } from './boot-sessions.ts';
import type { HttpRoute, MachineAnswer, MachineRequest } from './http-route.ts';
import { type IpxePlan, planIpxe } from './ipxe-plan.ts';
import { type IpxeQuery, readIpxeQuery } from './ipxe-query.ts';
import { renderBootScript, renderDiskScript } from './ipxe-script.ts';
import { agentKernelArgs, bringsOwnConfig, environmentKernelArgs } from './kernel-args.ts';
import { type LinkApiOf, type MachineLinkApi, PLAIN_LINK_API } from './machine-link-api.ts';
import type { Neighbour } from './neighbours.ts';

/** The name of the Server behind what a machine says about itself; undefined when it says nothing useful. */
export type ServerName = (uuid: string, mac: string, serial: string) => string | undefined;

/** What `/ipxe` needs. */
export interface IpxeRouteDeps {
  readonly cache: ObjectCache;
  readonly events: EventRecorder;
  readonly marks: BootMarks;
  readonly sessions: BootSessions;
  readonly serverName: ServerName;
  /** What machines are told. */
  readonly endpoint: BoundAddress;
  /** Our address on the link, IPv6 without prefix length; undefined while there is none. */
  readonly linkAddress: () => string | undefined;
  /** Absent: plain text, no tokens, UDP. */
  readonly linkApi?: LinkApiOf;
  readonly bootFromDiskMethod: string;
  readonly extraAgentKernelArgs: readonly string[];
  /** The machine at this address said who it is. */
  readonly learn: (address: string, who: Neighbour) => void;
  /** Upstream's open behaviour: scripts carry no tokens. */
  readonly insecureMetadata: boolean;
}

/** `/ipxe`: what this machine boots now. Answers from memory. */
export function createIpxeRoute(deps: IpxeRouteDeps): HttpRoute {
  return { prefix: '/ipxe', handle: (request) => answerIpxe(deps, request) };
}

function answerIpxe(deps: IpxeRouteDeps, request: MachineRequest): MachineAnswer {
  const query = readIpxeQuery(request.query);
  const name = deps.serverName(query.uuid, query.mac, query.serial) ?? '';
  const { cache } = deps;
  const found = name === '' ? undefined : cache.get(server, { name });
  const plan = planIpxe(
    {
      server: found,
      binding: name === '' ? undefined : cache.get(serverBinding, { name }),
      serverClass: (className) => cache.get(serverClass, { name: className }),
      environment: (environmentName) => cache.get(environment, { name: environmentName }),
    },
    query.arch,
    deps.bootFromDiskMethod,
  );
  const asker: Asker = { query, name, server: found, address: request.address };
  const { address: _address, ...who } = aboutOf(asker);
  deps.learn(request.address, who);
  const answer = render(deps, plan, asker);
  mark(deps, plan, asker);
  return answer;
}

interface Asker {
  readonly query: IpxeQuery;
  /** Of the Server; empty when the machine says nothing useful. */
  readonly name: string;
  readonly server: Server | undefined;
  readonly address: string;
}

function render(deps: IpxeRouteDeps, plan: IpxePlan, asker: Asker): MachineAnswer {
  switch (plan.do) {
    case 'agent': {
      const args = agentKernelArgs({
        endpoint: deps.endpoint,
        mac: asker.query.mac,
        extra: deps.extraAgentKernelArgs,
        ...tokenOf(deps, asker, false),
      });
      return script(renderBootScript(`agent-${plan.arch}`, args));
    }
    case 'boot': {
      const own = plan.assets.kernel?.args ?? plan.environment.spec?.kernel?.args ?? [];
      const secret = tokenOf(deps, asker, bringsOwnConfig(own));
      const args = environmentKernelArgs(own, {
        endpoint: deps.endpoint,
        linkAddress: deps.linkAddress(),
        linkApi: linkApiFor(deps, asker, secret.token !== undefined),
        uuid: asker.name === asker.query.uuid.toLowerCase() ? '' : asker.name,
        ...secret,
      });
      return script(renderBootScript(plan.path, args, plan.assets));
    }
    case 'disk': {
      const text = renderDiskScript(plan.method);
      return text === undefined ? { status: 404 } : script(text);
    }
    case 'refuse':
      return { status: plan.status, headers: TEXT, body: plan.text };
  }
}

/** A join token is a secret as the boot's token is: who gets no boot token gets no join token either. */
function linkApiFor(deps: IpxeRouteDeps, asker: Asker, mayHaveSecret: boolean): MachineLinkApi {
  const api = deps.linkApi?.(asker.name) ?? PLAIN_LINK_API;
  if (mayHaveSecret || deps.insecureMetadata) return api;
  const { joinToken: _, ...open } = api;
  return open;
}

function tokenOf(deps: IpxeRouteDeps, asker: Asker, ownConfigArgument: boolean): { readonly token?: string } {
  if (deps.insecureMetadata || asker.name === '') return {};
  const isForeignCard = !mayHaveCard(asker.server, asker.query.mac);
  const options = { ownConfigArgument, isForeignCard };
  const issued = deps.sessions.issue(asker.name, asker.query.mac, asker.address, options);
  if (issued.ok) return { token: issued.token };
  const about = aboutOf(asker);
  const fresh = deps.marks.mark({
    about,
    stage: 'Script',
    severity: 'warning',
    event: 'ConfigRefused',
    summary: `boot script for ${asker.address} without a token: ${issued.reason}`,
    facts: { reason: issued.reason },
  });
  if (fresh && asker.server !== undefined) {
    deps.events.record(asker.server, {
      type: 'Warning',
      reason: 'ConfigRefused',
      message: `The boot script was asked for from ${asker.address} and given without a token: ${issued.reason}.`,
    });
  }
  return {};
}

/** Whether the inventory knows this card. Of a Server without one anything may be true, and no claim is no lie. */
function mayHaveCard(found: Server | undefined, mac: string): boolean {
  const interfaces = found?.spec?.hardware?.network?.interfaces ?? [];
  const cards = interfaces.flatMap((card) => parseMac(card.mac ?? '') ?? []);
  return mac === '' || cards.length === 0 || cards.includes(mac);
}

function mark(deps: IpxeRouteDeps, plan: IpxePlan, asker: Asker): void {
  const what = summaryOf(plan);
  const refused = plan.do === 'refuse';
  const fresh = deps.marks.mark({
    about: aboutOf(asker),
    stage: 'Script',
    severity: refused ? 'warning' : 'info',
    event: refused ? 'BootScriptRefused' : 'BootScriptServed',
    summary: what,
    facts: { decision: plan.do, arch: asker.query.arch },
  });
  if (!fresh || asker.server === undefined) return;
  deps.events.record(asker.server, {
    type: refused ? 'Warning' : 'Normal',
    reason: refused ? 'BootScriptRefused' : 'BootScriptServed',
    message: `Asked for its boot script: ${what}.`,
  });
}

function summaryOf(plan: IpxePlan): string {
  switch (plan.do) {
    case 'agent':
      return `the agent (${plan.arch})`;
    case 'boot':
      return `Environment ${plan.environment.metadata.name}`;
    case 'disk':
      return `boot from disk (${plan.method})`;
    case 'refuse':
      return plan.why;
  }
}

function aboutOf({ name, query, address }: Asker): { server?: string; mac?: string; address: string } {
  return { ...(name === '' ? {} : { server: name }), ...(query.mac === '' ? {} : { mac: query.mac }), address };
}

const TEXT = { 'content-type': 'text/plain; charset=utf-8' } as const;

function script(body: string): MachineAnswer {
  return { status: 200, headers: TEXT, body };
}
