import type { Controller, ReconcileContext, ResourceDefinition } from '@bloomery/cosi';
import { addressId } from '../addresses/configured-addresses.ts';
import { createNotices, layeredId } from '../layers/index.ts';
import { linkNames } from '../links/link-names.ts';
import type { NodeEnvironment } from '../node-environment.ts';
import { operatorId } from '../operators/operator-id.ts';
import {
  AddressSpec,
  DeviceConfigSpec,
  HostnameSpec,
  LAYERED,
  LinkSpec,
  LinkStatus,
  OperatorSpec,
  ResolverSpec,
  RouteSpec,
  TimeServerSpec,
} from '../resources/index.ts';
import { routeId } from '../routes/route-id.ts';
import { cmdlineNetwork, withoutLinks } from './cmdline-network.ts';
import { parseKernelArguments } from './kernel-arguments.ts';

const OUTPUTS = [LinkSpec, AddressSpec, RouteSpec, OperatorSpec, HostnameSpec, ResolverSpec, TimeServerSpec];

/**
 * Specs of layer `cmdline` of all concepts. (Upstream reads the kernel arguments in each concept's own config controller; here is one
 * for all, so that they are read and complained about once.) Links that the configuration says to ignore have none.
 */
export function cmdlineController({ settings }: Pick<NodeEnvironment, 'settings'>): Controller {
  const given = parseKernelArguments(settings.cmdline);
  const notices = createNotices('warn', 'cmdline.leftOut');
  return {
    name: 'network.CmdlineController',
    inputs: [
      { definition: LinkStatus, kind: 'weak' },
      { definition: DeviceConfigSpec, kind: 'weak' },
    ],
    outputs: OUTPUTS.map((definition) => ({ definition, kind: 'shared' })),
    reconcile: (context) => {
      const links = context.list(LinkStatus);
      const known = links.map(({ metadata, spec: { index, type, kind } }) => ({
        name: metadata.id,
        index,
        type,
        kind,
      }));
      const names = linkNames(links);
      const ignored = context.list(DeviceConfigSpec).filter(({ spec }) => spec.ignore === true);
      const left = new Set(ignored.map(({ spec }) => names.resolve(spec.interface)));
      const network = withoutLinks(cmdlineNetwork(given, names, known), left);
      notices.say(context.log, network.problems);
      write(context, LinkSpec, network.links, ({ name }) => name);
      write(context, AddressSpec, network.addresses, addressId);
      write(context, RouteSpec, network.routes, routeId);
      write(context, OperatorSpec, network.operators, operatorId);
      write(context, HostnameSpec, listOf(network.hostname), () => 'hostname');
      write(context, ResolverSpec, listOf(network.resolvers), () => 'resolvers');
      write(context, TimeServerSpec, listOf(network.timeServers), () => 'timeservers');
    },
  };
}

function write<S>(
  context: ReconcileContext,
  definition: ResourceDefinition<S>,
  specs: readonly S[],
  idOf: (spec: S) => string,
): void {
  const outputs = context.outputs(definition, { namespace: LAYERED });
  for (const spec of specs) outputs.put(layeredId('cmdline', idOf(spec)), spec);
  outputs.finish();
}

const listOf = <T>(value: T | undefined): readonly T[] => (value === undefined ? [] : [value]);
