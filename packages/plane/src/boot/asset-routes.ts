import { join } from 'node:path';
import { answerAsset } from './asset-answer.ts';
import type { Asset, AssetCache } from './asset-cache.ts';
import type { BootFiles } from './boot-files.ts';
import type { BootMarks } from './boot-marks.ts';
import { cleanPath, resolveInside } from './clean-path.ts';
import type { HttpRoute, MachineAnswer, MachineRequest } from './http-route.ts';
import type { Neighbour } from './neighbours.ts';

/** What the asset routes need. */
export interface AssetRoutesDeps {
  readonly cache: AssetCache;
  readonly files: BootFiles;
  readonly chainScript: string;
  /** Folder with `<environment>/{vmlinuz,initramfs.xz}`. */
  readonly environments: string;
  /** Folder with `agent-<arch>/{vmlinuz,initramfs.xz}`; undefined when there are none: then they are a 404. */
  readonly agentImages: string | undefined;
  readonly marks: BootMarks;
  /** Who is behind an address, for the timeline. */
  readonly whoIs: (address: string) => Neighbour;
}

/** `/boot.ipxe`, `/env/`, `/tftp/` and `autoexec.ipxe`: everything that is the same for every machine. */
export function createAssetRoutes(deps: AssetRoutesDeps): readonly HttpRoute[] {
  const script: MachineAnswer = {
    status: 200,
    headers: { 'content-type': 'text/plain; charset=utf-8' },
    body: deps.chainScript,
  };
  const chain = (request: MachineRequest): MachineAnswer => {
    markAsset(deps, request, 'Script', 'ChainScriptServed', 'the first script');
    return script;
  };
  return [
    { prefix: '/boot.ipxe', handle: chain },
    { prefix: '/autoexec.ipxe', handle: chain },
    { prefix: '/env/', handle: (request) => answerEnvironment(deps, request) },
    { prefix: '/tftp/', handle: (request) => answerBootFile(deps, request) },
  ];
}

async function answerBootFile(deps: AssetRoutesDeps, request: MachineRequest): Promise<MachineAnswer> {
  const asset = await deps.files.open(request.path.slice('/tftp/'.length));
  if (asset === undefined) return { status: 404 };
  if (request.method === 'HEAD') return answerAsset(asset, request);
  return answerAsset(asset, request, {
    onSent: () => markAsset(deps, request, 'Tftp', 'LoaderServed', `HTTP ${request.path.slice(0, 128)}`),
  });
}

async function answerEnvironment(deps: AssetRoutesDeps, request: MachineRequest): Promise<MachineAnswer> {
  const parts = cleanPath(request.path.slice('/env/'.length));
  const asset = await openEnvironmentFile(deps, parts);
  if (asset === undefined) {
    markAsset(deps, request, 'Kernel', 'AssetMissing', `${parts.join('/').slice(0, 128)} does not exist`);
    return { status: 404 };
  }
  if (request.method === 'HEAD') return answerAsset(asset, request);
  const isKernel = parts.at(-1) === 'vmlinuz';
  const { sizeBytes } = asset;
  return answerAsset(asset, request, {
    onSent: () =>
      markAsset(
        deps,
        request,
        isKernel ? 'Kernel' : 'Initrd',
        isKernel ? 'KernelServed' : 'InitrdServed',
        `${parts.join('/').slice(0, 128)}, ${sizeBytes} bytes`,
      ),
  });
}

async function openEnvironmentFile(deps: AssetRoutesDeps, parts: readonly string[]): Promise<Asset | undefined> {
  const [name = '', ...rest] = parts;
  const isAgent = name === 'agent-amd64' || name === 'agent-arm64';
  const root = isAgent ? deps.agentImages : deps.environments;
  if (root === undefined || parts.some((part) => part.startsWith('.'))) return undefined;
  // The folder itself may be a link: images are often kept elsewhere.
  const path = await resolveInside(join(root, name), rest);
  return path === undefined ? undefined : await deps.cache.open(path);
}

function markAsset(
  { marks, whoIs }: AssetRoutesDeps,
  { address }: MachineRequest,
  stage: 'Script' | 'Tftp' | 'Kernel' | 'Initrd',
  event: string,
  summary: string,
): void {
  const severity = event === 'AssetMissing' ? 'warning' : 'info';
  marks.mark({ about: { address, ...whoIs(address) }, stage, severity, event, summary });
}
