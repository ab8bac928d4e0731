import { parseByteSize } from '../config/byte-size.ts';
import { entriesOf, type YamlMap } from '../yaml/index.ts';
import type { DocumentValidators } from './documents.ts';
import { expressionProblem } from './expression.ts';
import { type Findings, flagAt, isSet, listAt, mapAt, mapsAt, numberAt, quoted, textAt } from './section.ts';

/** Documents about volumes. */
export const VOLUME_DOCUMENTS: DocumentValidators = {
  ExistingVolumeConfig: (document, found) => {
    volumeName(document, found, undefined);
    const match = textAt(mapAt(document, 'discovery', 'volumeSelector'), 'match');
    const problem = match === '' ? undefined : expressionProblem('volume', match);
    if (match === '') found.errors.push('volume selector is required');
    if (problem !== undefined) found.errors.push(`volume selector is invalid: ${problem}`);
  },
  ExternalVolumeConfig: externalVolume,
  RawVolumeConfig: provisionedVolume,
  SwapVolumeConfig: provisionedVolume,
  UserVolumeConfig: userVolume,
  VolumeConfig: systemVolume,
};

/** What fits into the label of a partition beside its prefix. */
const MAX_NAME_BYTES = 34;

function volumeName(document: YamlMap, found: Findings, maxBytes: number | undefined): void {
  const name = textAt(document, 'name');
  if (name === '') found.errors.push('name is required');
  if (maxBytes !== undefined && (name === '' || Buffer.byteLength(name) > maxBytes)) {
    found.errors.push(`name must be between 1 and ${maxBytes} characters long`);
  }
  if (!/^[A-Za-z0-9-]*$/.test(name)) {
    found.errors.push('name can only contain lowercase and uppercase ASCII letters, digits, and hyphens');
  }
}

function externalVolume(document: YamlMap, found: Findings): void {
  volumeName(document, found, MAX_NAME_BYTES);
  const type = textAt(document, 'filesystemType');
  const virtiofs = mapAt(document, 'mount', 'virtiofs');
  if (type !== 'virtiofs') found.errors.push(`invalid filesystem type: ${type === '' ? 'none' : type}`);
  else if (virtiofs === undefined) found.errors.push('virtiofs mount spec is required');
  else if (textAt(virtiofs, 'tag') === '') found.errors.push('virtiofs tag is required');
}

function provisionedVolume(document: YamlMap, found: Findings): void {
  volumeName(document, found, MAX_NAME_BYTES);
  found.errors.push(
    ...provisioningProblems(document, { required: true, sized: true }),
    ...encryptionProblems(document),
  );
}

function userVolume(document: YamlMap, found: Findings): void {
  volumeName(document, found, MAX_NAME_BYTES);
  const type = isSet(document, 'volumeType') ? textAt(document, 'volumeType') : 'partition';
  if (type === 'directory') {
    for (const part of ['provisioning', 'encryption', 'filesystem', 'mount']) {
      const section = mapAt(document, part);
      const isUsed = part === 'encryption' ? isEncrypted(section) : entriesOf(section ?? {}).length > 0;
      if (isUsed) found.errors.push(`${part} spec is invalid for volumeType directory`);
    }
  } else if (type === 'disk' || type === 'partition') {
    const problems = provisioningProblems(document, { required: true, sized: type === 'partition' });
    found.errors.push(...problems, ...filesystemProblems(document), ...encryptionProblems(document));
  } else found.errors.push(`unsupported volume type ${quoted(type)}`);
}

function filesystemProblems(document: YamlMap): string[] {
  const filesystem = mapAt(document, 'filesystem');
  const type = textAt(filesystem, 'type');
  if (!['', 'none', 'xfs', 'ext4'].includes(type)) return [`unsupported filesystem type: ${type}`];
  return flagAt(filesystem, 'projectQuotaSupport') && type !== 'xfs' && type !== '' && type !== 'none'
    ? ['project quota support is only available for xfs filesystem']
    : [];
}

const SYSTEM_VOLUMES = ['STATE', 'EPHEMERAL', 'IMAGECACHE'];

function systemVolume(document: YamlMap, found: Findings): void {
  const name = textAt(document, 'name');
  if (!SYSTEM_VOLUMES.includes(name)) {
    found.errors.push(`only [${SYSTEM_VOLUMES.map(quoted).join(' ')}] volumes are supported`);
    return;
  }
  if (name === 'STATE') {
    const provisioning = mapAt(document, 'provisioning');
    if (provisioning !== undefined && entriesOf(provisioning).length > 0) {
      found.errors.push(`provisioning config is not allowed for the ${quoted(name)} volume`);
    }
    for (const key of mapsAt(mapAt(document, 'encryption'), 'keys')) {
      if (flagAt(key, 'lockToState')) {
        found.errors.push(`state-locked key is not allowed for the ${quoted(name)} volume`);
      }
    }
  }
  found.errors.push(
    ...provisioningProblems(document, { required: false, sized: true }),
    ...encryptionProblems(document),
  );
}

interface Provisioning {
  readonly required: boolean;
  /** Whether the size can be chosen. */
  readonly sized: boolean;
}

function provisioningProblems(document: YamlMap, { required, sized }: Provisioning): string[] {
  const provisioning = mapAt(document, 'provisioning');
  const problems: string[] = [];
  const match = textAt(mapAt(provisioning, 'diskSelector'), 'match');
  const wrong = match === '' ? undefined : expressionProblem('disk', match);
  if (wrong !== undefined) problems.push(`disk selector is invalid: ${wrong}`);
  if (required && match === '') problems.push('disk selector is required');
  const min = textAt(provisioning, 'minSize');
  const max = textAt(provisioning, 'maxSize');
  if (!sized) {
    if (min !== '' || max !== '' || isSet(provisioning, 'grow')) {
      problems.push('min size, max size and grow are not supported');
    }
    return problems;
  }
  const isBounded = min !== '' && max !== '' && !max.endsWith('%') && !max.startsWith('-');
  if (isBounded && bytesOf(min) > bytesOf(max)) problems.push('min size is greater than max size');
  if (required && min === '' && max === '') problems.push('min size or max size is required');
  if (min.startsWith('-')) problems.push('min size cannot be negative');
  return problems;
}

const bytesOf = (text: string): bigint => parseByteSize(text.replace(/^-/, '')) ?? 0n;

const MAX_PCR = 23;
const KEY_TYPES = ['static', 'nodeID', 'kms', 'tpm'];

/** Whether an `encryption` section asks for any. */
const isEncrypted = (encryption: YamlMap | undefined): boolean =>
  listAt(encryption, 'keys').length > 0 || !['', 'none'].includes(textAt(encryption, 'provider'));

function encryptionProblems(document: YamlMap): string[] {
  const encryption = mapAt(document, 'encryption');
  const provider = textAt(encryption, 'provider');
  const keys = mapsAt(encryption, 'keys');
  if (!isEncrypted(encryption)) return [];
  const problems: string[] = [];
  if (provider !== 'luks2') problems.push(`unsupported encryption provider: ${provider === '' ? 'none' : provider}`);
  if (keys.length === 0) problems.push('encryption keys are required');
  const slots = new Set<number>();
  for (const key of keys) {
    const slot = numberAt(key, 'slot');
    if (slots.has(slot)) problems.push(`duplicate key slot ${slot}`);
    slots.add(slot);
    if (!KEY_TYPES.some((type) => isSet(key, type))) {
      problems.push(`at least one encryption key type must be specified for slot ${slot}`);
    }
    for (const pcr of listAt(mapAt(key, 'tpm', 'options'), 'pcrs')) {
      const index = Number(pcr);
      if (index < 0 || index > MAX_PCR) problems.push(`TPM PCR ${index} is out of range (0-${MAX_PCR})`);
    }
  }
  return problems;
}
