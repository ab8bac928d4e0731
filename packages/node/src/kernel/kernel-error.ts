import { getSystemErrorMap } from 'node:util';
import { BloomeryError } from '@bloomery/ports';

/** What the kernel answered. */
export interface Refusal {
  /** Positive. */
  readonly errno: number;
  /** The kernel's own words; empty when it gave none. */
  readonly words?: string;
}

const codes = new Map([...getSystemErrorMap()].map(([number, [name]]) => [name, -number]));
/** Numbers that network requests meet and libuv has no name for. */
const MORE: Readonly<Record<string, readonly [errno: number, words: string]>> = {
  ENODATA: [61, 'No data available'],
  ENOTUNIQ: [76, 'Name not unique on network'],
  EADDRNOTAVAIL: [99, 'Cannot assign requested address'],
  ENETDOWN: [100, 'Network is down'],
  EOPNOTSUPP: [95, 'Operation not supported'],
  EEXIST: [17, 'File exists'],
  ENODEV: [19, 'No such device'],
  ENXIO: [6, 'No such device or address'],
  ESRCH: [3, 'No such process'],
  EPERM: [1, 'Operation not permitted'],
  EBUSY: [16, 'Device or resource busy'],
  EINVAL: [22, 'Invalid argument'],
  ERANGE: [34, 'Numerical result out of range'],
  ENOENT: [2, 'No such file or directory'],
  ENOMEM: [12, 'Cannot allocate memory'],
  ENETUNREACH: [101, 'Network is unreachable'],
  EHOSTUNREACH: [113, 'No route to host'],
  EAFNOSUPPORT: [97, 'Address family not supported by protocol'],
  EPROTONOSUPPORT: [93, 'Protocol not supported'],
};
const names = new Map<number, readonly [name: string, words: string]>([
  ...[...getSystemErrorMap()].map(([number, [name, words]]) => [-number, [name, words]] as const),
  ...Object.entries(MORE).map(([name, [number, words]]) => [number, [name, words]] as const),
]);

/** The number of an errno's name: 17 of `EEXIST`. 0 for names that are not known. */
export function errnoNumber(name: string): number {
  return MORE[name]?.[0] ?? codes.get(name) ?? 0;
}

/**
 * The error of a request that the kernel refused: `adding 10.0.0.5/24 to eth0: EEXIST File exists (kernel: …)`.
 *
 * @param what What was attempted, on what.
 */
export function kernelRefused(what: string, { errno, words = '' }: Refusal): BloomeryError {
  const [name, text] = names.get(errno) ?? [`errno ${errno}`, ''];
  const said = words === '' ? '' : ` (kernel: ${words})`;
  return new BloomeryError('BLM_KERNEL_REFUSED', `${what}: ${`${name} ${text}`.trimEnd()}${said}`, {
    retryable: true,
    facts: { errno: name, ...(words === '' ? {} : { kernel: words }) },
  });
}

/** The name of the errno (`EEXIST`) when `error` is a refusal of the kernel. */
export function refusalErrno(error: unknown): string | undefined {
  if (!(error instanceof BloomeryError) || error.code !== 'BLM_KERNEL_REFUSED') return undefined;
  const { errno } = error.facts;
  return typeof errno === 'string' ? errno : undefined;
}
