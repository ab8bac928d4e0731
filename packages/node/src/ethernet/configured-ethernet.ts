import type { NodeDocument } from '../config/node-config.ts';
import { WOL_MODE } from '../resources/enumerations.ts';
import { EthernetSpec } from '../resources/ethernet.ts';

/** What EthernetConfig documents say of network cards, by the name of the link. What is not written stays unset. */
export function configuredEthernet(documents: readonly NodeDocument[]): ReadonlyMap<string, EthernetSpec> {
  const named = documents.filter(({ kind, name = '' }) => kind === 'EthernetConfig' && name !== '');
  return new Map(named.map(({ name = '', value }) => [name, ethernetSpec(value)]));
}

function ethernetSpec(value: NodeDocument['value']): EthernetSpec {
  const zero = EthernetSpec.make();
  const features = Object.entries(recordOf(value['features'])).filter(([, on]) => typeof on === 'boolean');
  const modes = Array.isArray(value['wakeOnLan']) ? value['wakeOnLan'] : [];
  return {
    rings: { ...zero.rings, ...knownOf(zero.rings, recordOf(value['rings'])) },
    features: Object.fromEntries(features.map(([name, on]) => [name, on === true])),
    channels: { ...zero.channels, ...knownOf(zero.channels, recordOf(value['channels'])) },
    wakeOnLan: modes.filter(isWakeMode),
  };
}

function isWakeMode(mode: unknown): mode is keyof typeof WOL_MODE {
  return typeof mode === 'string' && Object.hasOwn(WOL_MODE, mode);
}

/** Those settings that there are, with a number or a switch. */
function knownOf(known: object, written: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const isSetting = (value: unknown): boolean => typeof value === 'number' || typeof value === 'boolean';
  return Object.fromEntries(
    Object.entries(written).filter(([name, value]) => Object.hasOwn(known, name) && isSetting(value)),
  );
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}
