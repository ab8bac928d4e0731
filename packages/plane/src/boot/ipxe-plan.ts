import {
  type Environment,
  type EnvironmentAssets,
  isEnvironmentReady,
  type Server,
  type ServerBinding,
  type ServerClass,
} from '@bloomery/model';
import { type Arch, assetsFor } from './environment-assets.ts';

/** Everything the decision looks at. */
export interface IpxeObjects {
  readonly server: Server | undefined;
  readonly binding: ServerBinding | undefined;
  readonly serverClass: (name: string) => ServerClass | undefined;
  readonly environment: (name: string) => Environment | undefined;
}

/** What a machine that asks for its boot script gets. */
export type IpxePlan =
  | { readonly do: 'agent'; readonly arch: Arch }
  | { readonly do: 'disk'; readonly method: string }
  | {
      readonly do: 'boot';
      readonly environment: Environment;
      readonly assets: EnvironmentAssets;
      /** Below `/env/`. */
      readonly path: string;
    }
  | { readonly do: 'refuse'; readonly status: 404 | 412 | 500; readonly text: string; readonly why: string };

/**
 * Decide what a machine boots (spec/boot.md §4): the agent unless it is allocated, its disk once it reported the installation,
 * else the Environment of the Server, of its ServerClass, or `default`. Pure.
 */
export function planIpxe(objects: IpxeObjects, arch: Arch, defaultMethod: string): IpxePlan {
  const { server, binding } = objects;
  if (server === undefined || binding === undefined) return { do: 'agent', arch };
  const booted = server.status?.conditions?.some((condition) => condition.type === 'PXEBooted') === true;
  if (booted && server.spec?.pxeBootAlways !== true) return planDisk(objects, server, binding, defaultMethod);
  let name = server.spec?.environmentRef?.name ?? '';
  const className = binding.spec?.serverClassRef?.name ?? '';
  if (name === '' && className !== '') {
    const serverClass = objects.serverClass(className);
    if (serverClass === undefined) return refuse(404, '', `ServerClass ${className} does not exist`);
    name = serverClass.spec?.environmentRef?.name ?? '';
  }
  if (name === '') name = 'default';
  const environment = objects.environment(name);
  if (environment === undefined) return refuse(404, '', `Environment ${name} does not exist`);
  const { assets, path } = assetsFor(environment, arch);
  if (!isEnvironmentReady(environment, assets)) {
    return refuse(412, `environment "${name}" is not ready`, `Environment ${name} is not ready`);
  }
  return { do: 'boot', environment, assets, path };
}

function planDisk(objects: IpxeObjects, server: Server, binding: ServerBinding, defaultMethod: string): IpxePlan {
  const own = server.spec?.bootFromDiskMethod ?? '';
  if (own !== '') return { do: 'disk', method: own };
  const className = binding.spec?.serverClassRef?.name ?? '';
  if (className === '') return { do: 'disk', method: defaultMethod };
  const serverClass = objects.serverClass(className);
  if (serverClass === undefined) return refuse(500, '', `ServerClass ${className} does not exist`);
  const method = serverClass.spec?.bootFromDiskMethod ?? '';
  return { do: 'disk', method: method === '' ? defaultMethod : method };
}

function refuse(status: 404 | 412 | 500, text: string, why: string): IpxePlan {
  return { do: 'refuse', status, text, why };
}
