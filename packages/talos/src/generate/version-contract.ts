import { BloomeryError } from '@bloomery/ports';

/** The Talos version for which a configuration is made: only major and minor count. */
export interface VersionContract {
  readonly major: number;
  readonly minor: number;
}

/** The newest contract whose generated form is known. */
export const NEWEST_CONTRACT: VersionContract = { major: 1, minor: 13 };

/** Version of Kubernetes where a Machine names none: what Talos 1.13.9 deploys. */
export const DEFAULT_KUBERNETES_VERSION = '1.36.3';

/**
 * Read a talosVersion (`v1.5`, `1.5`, `v1.12.0-beta.0`).
 *
 * @throws BloomeryError BLM_TALOS_VERSION_INVALID
 */
export function parseVersionContract(text: string): VersionContract {
  const version = text.startsWith('v') ? text : `v${text}`;
  const match = /^v(\d{1,9})\.(\d{1,9})($|\.)/.exec(version.slice(0, 64));
  if (match === null) {
    throw new BloomeryError(
      'BLM_TALOS_VERSION_INVALID',
      `reading talosVersion ${JSON.stringify(version.slice(0, 64))}: not vMAJOR.MINOR`,
    );
  }
  return { major: Number(match[1]), minor: Number(match[2]) };
}

/** Whether `contract` is 1.`minor` or newer. */
export const isAtLeast = (contract: VersionContract, minor: number): boolean =>
  contract.major > 1 || (contract.major === 1 && contract.minor >= minor);

/** Whether the form of this contract is not known yet: the newest known form is generated instead, which newer Talos still reads. */
export const isTooNew = (contract: VersionContract): boolean => isAtLeast(contract, NEWEST_CONTRACT.minor + 1);
