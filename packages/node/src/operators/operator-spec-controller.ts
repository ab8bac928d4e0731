import type { Controller, ReconcileContext, ResourceDefinition } from '@bloomery/cosi';
import { addressId } from '../addresses/configured-addresses.ts';
import type { Problems } from '../layers/index.ts';
import { linkNames } from '../links/link-names.ts';
import {
  ACTIVE_CONFIG,
  AddressSpec,
  HostnameSpec,
  HostnameStatus,
  LAYERED,
  LinkSpec,
  LinkStatus,
  MachineConfig,
  OperatorSpec,
  ResolverSpec,
  RouteSpec,
  TimeServerSpec,
} from '../resources/index.ts';
import { routeId } from '../routes/route-id.ts';
import { ignoresRoutes } from './ignores-routes.ts';
import type { HostName, Operator, OperatorOutputs } from './operator.ts';

/** A link as operators look at it. */
export interface OperatorLink {
  readonly name: string;
  readonly index: number;
  readonly type: LinkStatus['type'];
  readonly hardwareAddr: string;
  readonly broadcastAddr: string;
}

/** Makes the operator of a spec, running; undefined: there is none of this kind here. `changed` is called when its outputs differ. */
export type StartOperator = (spec: OperatorSpec, link: OperatorLink, changed: () => void) => Operator | undefined;

export interface OperatorSpecDeps {
  readonly problems: Problems;
  readonly startOperator: StartOperator;
  /** Resolves when what operators remember is on disk; waited for at the end only, so that a slow disk never holds up a link. */
  readonly settled?: () => Promise<void>;
}

interface Running {
  readonly spec: OperatorSpec;
  readonly link: OperatorLink;
  readonly operator: Operator;
}

const OUTPUTS = [AddressSpec, RouteSpec, LinkSpec, HostnameSpec, ResolverSpec, TimeServerSpec];
const HOSTNAME = 'hostname';

/**
 * One operator for each merged spec, as long as its link is there and, where the spec wants it, up. What an operator has obtained
 * stands on layer `operator` under its id (`dhcp4/eth0/…`), and goes with it.
 */
export function operatorSpecController({ problems, startOperator, settled }: OperatorSpecDeps): Controller {
  const running = new Map<string, Running>();
  const listeners = new Set<() => void>();
  const changed = (): void => {
    for (const wake of listeners) wake();
  };
  const end = async (id: string): Promise<void> => {
    const { operator } = running.get(id) ?? {};
    running.delete(id);
    await operator?.stop();
  };
  return {
    name: 'network.OperatorSpecController',
    inputs: [
      { definition: OperatorSpec, kind: 'weak' },
      { definition: LinkStatus, kind: 'weak' },
      { definition: HostnameStatus, id: HOSTNAME, kind: 'weak' },
      { definition: MachineConfig, id: ACTIVE_CONFIG, kind: 'weak' },
    ],
    outputs: OUTPUTS.map((definition) => ({ definition, kind: 'shared' })),
    wakes: [
      {
        listen: (wake) => {
          listeners.add(wake);
          return () => listeners.delete(wake);
        },
      },
    ],
    reconcile: async (context) => {
      const wanted = wantedOperators(context, problems);
      for (const [id, { spec, link }] of running) {
        const now = wanted.get(id);
        const isSame = now !== undefined && OperatorSpec.codec.equal(now.spec, spec) && isSameLink(now.link, link);
        if (!isSame) await end(id);
      }
      const { hostname, domainname } = context.get(HostnameStatus, HOSTNAME)?.spec ?? HostnameStatus.make();
      for (const [id, { spec, link }] of wanted) {
        const operator = running.get(id)?.operator ?? startOperator(spec, link, changed);
        if (operator === undefined) continue;
        running.set(id, { spec, link, operator });
        operator.hostnameIs({ hostname, domainname } satisfies HostName);
        problems.set(id, operator.problem);
      }
      const config = context.get(MachineConfig, ACTIVE_CONFIG)?.spec;
      const { resolve } = linkNames(context.list(LinkStatus));
      const obtained = [...running].map(
        ([id, { operator, spec }]) =>
          [id, ignoresRoutes(config, spec, resolve) ? { ...operator.outputs, routes: [] } : operator.outputs] as const,
      );
      writeOutputs(context, obtained);
    },
    stop: async () => {
      for (const id of [...running.keys()]) await end(id);
      await settled?.();
    },
  };
}

function wantedOperators(
  context: ReconcileContext,
  problems: Problems,
): ReadonlyMap<string, { readonly spec: OperatorSpec; readonly link: OperatorLink }> {
  const wanted = new Map<string, { spec: OperatorSpec; link: OperatorLink }>();
  const links = new Map(context.list(LinkStatus).map((link) => [link.metadata.id, link.spec]));
  for (const { metadata, spec } of context.list(OperatorSpec)) {
    const { id, phase } = metadata;
    const link = links.get(spec.linkName);
    const state = link?.operationalState;
    const isUp = state === 'up' || state === 'unknown';
    if (phase === 'running' && link !== undefined && (isUp || !spec.requireUp)) {
      const { index, type, hardwareAddr, broadcastAddr } = link;
      wanted.set(id, { spec, link: { name: spec.linkName, index, type, hardwareAddr, broadcastAddr } });
    } else problems.set(id, phase === 'running' ? whyNot(spec.linkName, state) : undefined);
  }
  return wanted;
}

function whyNot(linkName: string, state: string | undefined): string {
  return state === undefined ? `waits for link ${linkName}` : `waits for link ${linkName}, which is ${state}`;
}

function isSameLink(a: OperatorLink, b: OperatorLink): boolean {
  return a.index === b.index && a.type === b.type && a.hardwareAddr === b.hardwareAddr;
}

type Obtained = readonly (readonly [id: string, outputs: OperatorOutputs])[];

function writeOutputs(context: ReconcileContext, obtained: Obtained): void {
  const write = <S>(
    definition: ResourceDefinition<S>,
    specsOf: (outputs: OperatorOutputs) => readonly S[],
    idOf: (spec: S) => string,
  ): void => {
    const outputs = context.outputs(definition, { namespace: LAYERED });
    for (const [id, of] of obtained) for (const spec of specsOf(of)) outputs.put(`${id}/${idOf(spec)}`, spec);
    outputs.finish();
  };
  write(AddressSpec, ({ addresses }) => addresses, addressId);
  write(RouteSpec, ({ routes }) => routes, routeId);
  write(
    LinkSpec,
    ({ links }) => links,
    ({ name }) => name,
  );
  write(
    HostnameSpec,
    ({ hostname }) => listOf(hostname),
    () => HOSTNAME,
  );
  write(
    ResolverSpec,
    ({ resolvers }) => listOf(resolvers),
    () => 'resolvers',
  );
  write(
    TimeServerSpec,
    ({ timeServers }) => listOf(timeServers),
    () => 'timeservers',
  );
}

const listOf = <T>(value: T | undefined): readonly T[] => (value === undefined ? [] : [value]);
