import { isIP } from 'node:net';
import type { Listen } from '@bloomery/ports';

/** Values by camelCase name, as commander gives flags. */
export type RawOptions = Readonly<Record<string, string | boolean | undefined>>;

/** A refused flag or variable: which, its value, what is accepted. */
export interface OptionProblem {
  readonly flag: string;
  readonly message: string;
}

/** A host, and its port where one was given. */
export interface HostPort {
  readonly host: string;
  readonly port?: number;
}

/** Reads values one by one. What is refused becomes a problem, and a harmless value is returned in its place. */
export interface OptionReader {
  readonly problems: readonly OptionProblem[];
  refuse(name: string, message: string): void;
  text(name: string, fallback: string): string;
  /** undefined for what is not given, empty or `-`. */
  optional(name: string): string | undefined;
  bool(name: string, fallback: boolean): boolean;
  choice<const V extends readonly string[]>(name: string, values: V, fallback: V[number]): V[number];
  listen(name: string, fallback: string): Listen;
  port(name: string): number | undefined;
  /** `HOST` or `HOST:PORT`. */
  endpoint(name: string): HostPort | undefined;
  /** A comma list of endpoints; empty when none is given. */
  endpoints(name: string): readonly HostPort[];
  /** A comma list of CIDRs. */
  cidrs(name: string): readonly string[];
  /** From 0 to 1; 0 unless given. */
  probability(name: string): number;
}

const TRUE = ['true', 't', '1', 'yes', 'on', ''];
const FALSE = ['false', 'f', '0', 'no', 'off'];

/** Read values of the first source that has them. */
export function createOptionReader(sources: readonly RawOptions[]): OptionReader {
  const problems: OptionProblem[] = [];
  const given = (name: string): string | boolean | undefined =>
    sources.find((source) => source[name] !== undefined)?.[name];
  const refuse = (name: string, message: string): void => {
    problems.push({ flag: flagName(name), message });
  };
  const text = (name: string, fallback: string): string => {
    const value = given(name);
    return value === undefined || typeof value === 'boolean' ? fallback : value;
  };
  const optional = (name: string): string | undefined => {
    const value = text(name, '');
    return value === '' || value === '-' ? undefined : value;
  };
  const list = (name: string): readonly string[] =>
    text(name, '')
      .split(',')
      .map((entry) => entry.trim())
      .filter((entry) => entry !== '' && entry !== '-');
  return {
    problems,
    refuse,
    text,
    optional,
    bool: (name, fallback) => {
      const value = given(name);
      if (value === undefined) return fallback;
      if (typeof value === 'boolean') return value;
      if (TRUE.includes(value.toLowerCase())) return true;
      if (FALSE.includes(value.toLowerCase())) return false;
      refuse(name, `wants true or false, not "${value}"`);
      return fallback;
    },
    choice: (name, values, fallback) => {
      const value = text(name, fallback);
      const found = values.find((v) => v === value);
      if (found === undefined) refuse(name, `wants one of ${values.join(', ')}, not "${value}"`);
      return found ?? fallback;
    },
    listen: (name, fallback) => {
      const value = text(name, fallback);
      const parsed = parseListen(value);
      if (parsed === undefined) refuse(name, `wants HOST:PORT, not "${value}"`);
      return parsed ?? { host: '127.0.0.1', port: 0 };
    },
    port: (name) => {
      const value = optional(name);
      if (value === undefined) return undefined;
      const n = Number(value);
      if (Number.isInteger(n) && n >= 0 && n <= 65535) return n;
      refuse(name, `wants a port number, not "${value}"`);
      return undefined;
    },
    endpoint: (name) => {
      const value = optional(name);
      if (value === undefined) return undefined;
      const parsed = parseHostOptionalPort(value);
      if (parsed === undefined) refuse(name, `wants HOST or HOST:PORT, not "${value}"`);
      return parsed;
    },
    endpoints: (name) =>
      list(name).flatMap((value) => {
        const parsed = parseHostOptionalPort(value);
        if (parsed === undefined) refuse(name, `wants a comma list of HOST or HOST:PORT; "${value}" is neither`);
        return parsed ?? [];
      }),
    cidrs: (name) => {
      const all = list(name);
      for (const cidr of all) if (!isCidr(cidr)) refuse(name, `wants a comma list of CIDRs; "${cidr}" is none`);
      return all;
    },
    probability: (name) => {
      const n = Number(text(name, '0'));
      if (n >= 0 && n <= 1) return n;
      refuse(name, 'wants a number from 0 to 1');
      return 0;
    },
  };
}

/** `HOST:PORT`, `[v6]:PORT` or `:PORT`; undefined when it is none of them. */
export function parseListen(text: string): Listen | undefined {
  const match = /^(?:\[([0-9a-fA-F:.%\w]{2,64})\]|([^:[\]\s]{0,253})):(\d{1,5})$/.exec(text);
  if (match === null) return undefined;
  const port = Number(match[3]);
  if (port > 65535) return undefined;
  return { host: match[1] ?? (match[2] === '' || match[2] === undefined ? '0.0.0.0' : match[2]), port };
}

function parseHostOptionalPort(text: string): HostPort | undefined {
  const withPort = parseListen(text);
  if (withPort !== undefined && !text.startsWith(':')) return withPort;
  const bare = text.replace(/^\[(.*)\]$/, '$1');
  if (isIP(bare) === 6) return { host: bare };
  return /^[A-Za-z0-9.-]{1,253}$/.test(text) ? { host: text } : undefined;
}

function isCidr(text: string): boolean {
  const [address = '', length = '', ...rest] = text.split('/');
  const family = address.includes('%') ? 0 : isIP(address);
  return family !== 0 && rest.length === 0 && /^\d{1,3}$/.test(length) && Number(length) <= (family === 4 ? 32 : 128);
}

/** Variables of upstream share a flag here. */
const FLAG_OF: Readonly<Record<string, string>> = {
  apiEndpoint: 'advertise',
  apiPort: 'advertise',
  containerApiPort: 'listen',
  siderolinkEndpoint: 'siderolinkAdvertise',
  siderolinkPort: 'siderolinkListen',
};

function flagName(name: string): string {
  return `--${(FLAG_OF[name] ?? name).replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)}`;
}
