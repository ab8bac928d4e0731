import type { TalosControlPlane } from '@bloomery/model';
import { ANNOTATIONS } from '@bloomery/model';

/** Which machine bootstraps etcd, as recorded before it was asked. */
export interface BootstrapChoice {
  /** Name of the Machine. */
  readonly machine: string;
  /** Address that is asked. */
  readonly node: string;
  /** When it was chosen. RFC 3339. */
  readonly at: string;
  /** When it agreed, or said that it was bootstrapped before; '' until then. RFC 3339. */
  readonly answered: string;
}

/** What is recorded on a control plane. A record that nobody can read still forbids to choose again: its machine is ''. */
export function readBootstrapChoice({ metadata }: TalosControlPlane): BootstrapChoice | undefined {
  const text = metadata.annotations?.[ANNOTATIONS.bootstrapChoice];
  if (text === undefined) return undefined;
  const value = parse(text);
  const of = (name: string): string => {
    const found: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
    return typeof found === 'string' ? found : '';
  };
  return { machine: of('machine'), node: of('node'), at: of('at'), answered: of('answered') };
}

/** The record as text of the annotation. */
export function writeBootstrapChoice({ machine, node, at, answered }: BootstrapChoice): string {
  return JSON.stringify({ machine, node, at, ...(answered === '' ? {} : { answered }) });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
