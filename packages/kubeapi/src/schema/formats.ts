import { isIPv6 } from 'node:net';

const UUID = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;
const UUID3 = /^[0-9a-f]{8}-?[0-9a-f]{4}-?3[0-9a-f]{3}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;
const UUID4 = /^[0-9a-f]{8}-?[0-9a-f]{4}-?4[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$/i;
const UUID5 = /^[0-9a-f]{8}-?[0-9a-f]{4}-?5[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$/i;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;
const DATE_TIME = /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.\d+)?(?:[Zz]|[+-]\d{2}:\d{2})$/;
const GO_DURATION = /^[+-]?(?:0|(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|\u03bcs|ms|s|m|h))+)$/;
const LOOSE_DURATION = /^\s*(?:\d+\s*[A-Za-zµ]+\s*)+$/;
const DURATION_UNIT =
  /^(?:ns|nano\w*|us|µs|micro\w*|ms|milli\w*|s|sec\w*|m|min\w*|h|hr|hour\w*|d|day\w*|w|wk|week\w*)$/;
const HOST_LABEL = /^[\p{L}\p{S}a-zA-Z0-9](?:[\p{L}\p{S}a-zA-Z0-9-]{0,61}[\p{L}\p{S}a-zA-Z0-9])?$/u;
const EMAIL = /^[^\s@<>()[\],;:\\"]+@[^\s@<>()[\],;:\\"]+$/;

/** Texts longer than this satisfy no format: bounds the work of the patterns. */
const MAX_FORMAT_LENGTH = 4 * 1024 * 1024;

const CHECKS: Readonly<Record<string, (text: string) => boolean>> = {
  'date-time': isDateTime,
  date: isDate,
  duration: isDuration,
  byte: (text) => text.length % 4 === 0 && BASE64.test(text),
  ipv4: (text) => text.includes('.') && isAddress(text),
  ipv6: (text) => text.includes(':') && isAddress(text),
  cidr: isCidr,
  mac: isMac,
  uri: isRequestUri,
  hostname: isHostname,
  email: (text) => EMAIL.test(text.replace(/^[^<]*<(.*)>$/, '$1')),
  uuid: (text) => UUID.test(text),
  uuid3: (text) => UUID3.test(text),
  uuid4: (text) => UUID4.test(text),
  uuid5: (text) => UUID5.test(text),
  hexcolor: (text) => /^#?(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})$/.test(text),
  password: () => true,
};

/** True when the format is one that is enforced; all others are documentation. */
export function isKnownFormat(format: string): boolean {
  return Object.hasOwn(CHECKS, format);
}

/** Whether a text has a format. Formats that are not known are satisfied by everything. */
export function matchesFormat(format: string, text: string): boolean {
  const check = isKnownFormat(format) ? CHECKS[format] : undefined;
  if (check === undefined) return true;
  return text.length <= MAX_FORMAT_LENGTH && check(text);
}

function isDate(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  return !Number.isNaN(Date.parse(`${text}T00:00:00Z`)) && dayExists(text);
}

function dayExists(date: string): boolean {
  return new Date(`${date}T00:00:00Z`).toISOString().slice(0, 10) === date;
}

function isDateTime(text: string): boolean {
  const match = DATE_TIME.exec(text);
  if (match === null) return false;
  const [, year, month, day, hour, minute, second] = match;
  return isDate(`${year}-${month}-${day}`) && Number(hour) < 24 && Number(minute) < 60 && Number(second) < 60;
}

function isDuration(text: string): boolean {
  if (GO_DURATION.test(text)) return true;
  if (!LOOSE_DURATION.test(text)) return false;
  return [...text.matchAll(/\d+\s*([A-Za-zµ]+)/g)].some(([, unit = '']) => DURATION_UNIT.test(unit.toLowerCase()));
}

/** Leading zeros are read as decimals, as Kubernetes does for the sake of old objects. */
function isSloppyV4(text: string): boolean {
  return /^\d{1,8}(?:\.\d{1,8}){3}$/.test(text) && text.split('.').every((part) => Number(part) <= 255);
}

function isAddress(text: string): boolean {
  return isSloppyV4(text) || (isIPv6(text) && !text.includes('%'));
}

function isCidr(text: string): boolean {
  const slash = text.indexOf('/');
  const address = text.slice(0, Math.max(slash, 0));
  const bits = text.slice(slash + 1);
  if (slash < 0 || !/^\d{1,3}$/.test(bits)) return false;
  if (isSloppyV4(address)) return Number(bits) <= 32;
  return isIPv6(address) && !address.includes('%') && Number(bits) <= 128;
}

function isMac(text: string): boolean {
  for (const octets of [6, 8, 20]) {
    const more = octets - 1;
    if (new RegExp(`^[0-9a-f]{2}(?::[0-9a-f]{2}){${more}}$`, 'i').test(text)) return true;
    if (new RegExp(`^[0-9a-f]{2}(?:-[0-9a-f]{2}){${more}}$`, 'i').test(text)) return true;
    if (new RegExp(`^[0-9a-f]{4}(?:\\.[0-9a-f]{4}){${octets / 2 - 1}}$`, 'i').test(text)) return true;
  }
  return false;
}

function isRequestUri(text: string): boolean {
  if (text.startsWith('/')) return !/\s/.test(text);
  return /^[a-z][a-z0-9+.-]*:/i.test(text) && !/\s/.test(text) && URL.canParse(text);
}

function isHostname(text: string): boolean {
  if (text === '' || text.length > 255) return false;
  const labels = text.split('.');
  return labels.every((label) => HOST_LABEL.test(label)) && (labels.length === 1 || (labels.at(-1) ?? '').length > 1);
}
