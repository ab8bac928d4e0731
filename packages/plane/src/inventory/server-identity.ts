import { createHash } from 'node:crypto';

/** What tells one machine from another. */
export interface MachineIdentity {
  /** SMBIOS UUID as reported. */
  readonly uuid: string;
  readonly serial: string;
  /** Hardware addresses, lower case with colons; the first is the first permanent one. */
  readonly macs: readonly string[];
}

/** UUIDs that whole product lines share. boot.md §10, talos#7694 */
const SHARED_UUIDS: ReadonlySet<string> = new Set([
  '03000200-0400-0500-0006-000700080009',
  '00020003-0004-0005-0006-000700080009',
]);
const FILLER_SERIALS: ReadonlySet<string> = new Set([
  'to be filled by o.e.m.',
  'default string',
  'system serial number',
  'not specified',
  'none',
  'unknown',
  '0',
]);
/** Namespace of derived names: fixed, so that a machine has the same name for ever. */
const NAMESPACE = Buffer.from('8a3f27b64d0c5e1e9b7a0d52c1f4e683', 'hex');
const NAME = /^[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?$/;

/** Lower case, trimmed. */
export function normalUuid(uuid: string): string {
  return uuid.slice(0, 256).trim().toLowerCase();
}

/** True when this (normal) UUID says nothing about the machine: all zero, all f, or shared by a product line. */
export function isMeaninglessUuid(uuid: string): boolean {
  return /^[0-]+$/.test(uuid) || /^[f-]+$/.test(uuid) || SHARED_UUIDS.has(uuid);
}

/** True when this (normal) UUID can name an object: a DNS-1123 subdomain. */
export function isServerName(uuid: string): boolean {
  return NAME.test(uuid);
}

/** The serial number in the form that is compared; empty when it is a filler. */
export function normalSerial(serial: string): string {
  const text = serial.slice(0, 256).trim().toLowerCase();
  return FILLER_SERIALS.has(text) || /^[0.\-x]*$/.test(text) ? '' : text;
}

/**
 * A stable name from serial number and hardware address, for machines whose UUID cannot be used: UUID version 5.
 * Undefined when there is neither. @see RFC 9562 §5.5
 */
export function deriveServerName(serial: string, mac: string): string | undefined {
  const normal = normalSerial(serial);
  if (normal === '' && mac === '') return undefined;
  const digest = createHash('sha1').update(NAMESPACE).update(`${normal}/${mac}`).digest();
  digest[6] = ((digest[6] ?? 0) & 0x0f) | 0x50;
  digest[8] = ((digest[8] ?? 0) & 0x3f) | 0x80;
  const hex = digest.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
}

/**
 * Are these two reports from different machines? Only when both know hardware addresses and none is common, and the serial
 * numbers do not agree. `complete`: both tell all they have, so that having no serial number does not count as agreeing.
 */
export function isOtherMachine(
  a: Omit<MachineIdentity, 'uuid'>,
  b: Omit<MachineIdentity, 'uuid'>,
  complete: boolean,
): boolean {
  if (a.macs.length === 0 || b.macs.length === 0) return false;
  if (a.macs.some((mac) => b.macs.includes(mac))) return false;
  const [one, other] = [normalSerial(a.serial), normalSerial(b.serial)];
  return one === '' || other === '' ? complete : one !== other;
}
