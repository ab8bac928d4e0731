import { arch, platform } from 'node:os';
import type { JsonObject } from '@bloomery/model';

/** The Kubernetes level whose semantics this server follows. */
export const KUBERNETES_VERSION = 'v1.34.4';

const GO_ARCH: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386', arm64: 'arm64' };

/** `/version`. The version is one that Kubernetes' own parsers read, with ours behind the plus sign. */
export function versionInfo(productVersion: string): JsonObject {
  const [, major = '1', minor = '34'] = /^v(\d+)\.(\d+)/.exec(KUBERNETES_VERSION) ?? [];
  return {
    major,
    minor,
    emulationMajor: major,
    emulationMinor: minor,
    minCompatibilityMajor: major,
    minCompatibilityMinor: String(Number(minor) - 1),
    gitVersion: `${KUBERNETES_VERSION}+bloomery-${productVersion}`,
    gitCommit: '',
    gitTreeState: 'clean',
    buildDate: '1970-01-01T00:00:00Z',
    goVersion: 'none',
    compiler: 'none',
    platform: `${platform()}/${GO_ARCH[arch()] ?? arch()}`,
  };
}
