import type { Json, JsonObject, KubeObject, MachineSet } from '@bloomery/model';
import { ANNOTATIONS, isJsonObject } from '@bloomery/model';
import type { Wait } from '../../allocation/wait.ts';

/** The control plane of a Cluster, as far as the creation of workers depends on it. */
export interface ControlPlaneState {
  /** `TalosControlPlane default/x`, for messages. */
  readonly text: string;
  /** undefined: it does not exist. */
  readonly object: KubeObject | undefined;
}

interface Version {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
  readonly rest: string;
}

/** From this minor version on, workers may be three minor versions older than the control plane; before, two. */
const WIDER_SKEW_SINCE = 28;

/**
 * What stands against making Machines now; undefined: nothing. A control plane that is not there, is being created or upgraded
 * is waited for, and a version that it does not allow is refused, unless an annotation skips the check. Without a control
 * plane reference, or where it knows no version, nothing is checked.
 */
export function preflightWait(set: MachineSet, controlPlane: ControlPlaneState | undefined): Wait | undefined {
  if (controlPlane === undefined) return undefined;
  const runs = checksToRun(set);
  const { text, object } = controlPlane;
  if (object === undefined) {
    const message = `${text} does not exist; create it`;
    return runs('ControlPlaneIsStable') ? { reason: 'WaitingForControlPlane', message } : undefined;
  }
  const wantedText = textAt(object, 'spec', 'version');
  const wanted = parseVersion(wantedText);
  if (wanted === undefined) return undefined;
  const upgrade = runs('ControlPlaneIsStable') ? upgradeText(object, text, wanted) : undefined;
  if (upgrade !== undefined) return { reason: 'WaitingForControlPlaneUpgrade', message: upgrade };
  const own = parseVersion(set.spec?.template?.spec?.version);
  const skew = runs('KubernetesVersionSkew') && own !== undefined ? skewText(own, wanted, text) : undefined;
  return skew === undefined ? undefined : { reason: 'VersionSkew', message: skew };
}

function checksToRun({ metadata }: MachineSet): (check: string) => boolean {
  const skipped = (metadata.annotations?.[ANNOTATIONS.skipPreflightChecks] ?? '').split(',').map((name) => name.trim());
  return (check) => !skipped.includes('All') && !skipped.includes(check);
}

function upgradeText(object: KubeObject, text: string, wanted: Version): string | undefined {
  const actualText = textAt(object, 'status', 'version');
  if (actualText === undefined) return `${text} is being created: none of its machines has a version yet`;
  const actual = parseVersion(actualText);
  const isOlder = actual !== undefined && compare(wanted, actual) > 0;
  return isOlder ? `${text} is being upgraded from ${actualText} to ${versionText(wanted)}` : undefined;
}

function skewText(own: Version, controlPlane: Version, text: string): string | undefined {
  const versions = `version ${versionText(own)} of the machines`;
  const at = `${text} (${versionText(controlPlane)})`;
  if (own.minor > controlPlane.minor) return `${versions} is newer than ${at}; upgrade the control plane first`;
  const most = controlPlane.minor >= WIDER_SKEW_SINCE ? 3 : 2;
  if (own.minor >= controlPlane.minor - most) return undefined;
  return `${versions} is more than ${most} minor versions older than ${at}; raise spec.template.spec.version`;
}

function parseVersion(text: string | undefined): Version | undefined {
  const [, major, minor, patch, rest = ''] = /^v?(\d{1,6})\.(\d{1,6})\.(\d{1,6})([-+].*)?$/.exec(text ?? '') ?? [];
  if (major === undefined) return undefined;
  return { major: Number(major), minor: Number(minor), patch: Number(patch), rest };
}

/** A release stands above its pre-releases; other suffixes compare as text, so that a new build counts as another version. */
function compare(a: Version, b: Version): number {
  const numbers = a.major - b.major || a.minor - b.minor || a.patch - b.patch;
  if (numbers !== 0 || a.rest === b.rest) return numbers;
  if (a.rest === '') return b.rest.startsWith('-') ? 1 : -1;
  if (b.rest === '') return a.rest.startsWith('-') ? -1 : 1;
  return a.rest < b.rest ? -1 : 1;
}

function versionText({ major, minor, patch, rest }: Version): string {
  return `v${major}.${minor}.${patch}${rest}`;
}

function textAt(object: KubeObject, ...path: readonly string[]): string | undefined {
  const root: Json = object as unknown as JsonObject;
  const found = path.reduce<Json | undefined>((v, name) => (isJsonObject(v) ? v[name] : undefined), root);
  return typeof found === 'string' && found !== '' ? found : undefined;
}
