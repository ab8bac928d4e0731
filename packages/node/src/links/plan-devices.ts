import type { Device, DeviceSelector } from '../config/node-config.ts';
import { type SelectableLink, selectLinks, selectMembers, selectorText } from './device-selector.ts';

/** Interfaces of the configuration by the ids of their resources, and what could not be found. */
export interface DevicePlan {
  readonly devices: ReadonlyMap<string, Device>;
  /** One sentence for each selector that means no link now. They may mean one when the links change. */
  readonly warnings: readonly string[];
}

/**
 * Resolve the selectors of `machine.network.interfaces`: one device for each link that a `deviceSelector` means, and names for the
 * `deviceSelectors` of bonds and bridges. What means no link is left out with a warning; the others are not affected.
 */
export function planDevices(devices: readonly Device[], links: readonly SelectableLink[]): DevicePlan {
  const planned = new Map<string, Device>();
  const warnings: string[] = [];
  for (const [index, device] of devices.entries()) {
    const place = `machine.network.interfaces[${index}]`;
    const { expanded, warning } = expandDevice(device, links, place);
    if (warning !== undefined) warnings.push(warning);
    for (const [match, one] of expanded.entries()) {
      const id = `${one.interface}/${threeDigits(index)}`;
      planned.set(expanded.length > 1 ? `${id}/${threeDigits(match)}` : id, one);
    }
  }
  return { devices: planned, warnings };
}

interface Expansion {
  readonly expanded: readonly Device[];
  readonly warning?: string;
}

function expandDevice(device: Device, links: readonly SelectableLink[], place: string): Expansion {
  const { deviceSelector, ...bare } = device;
  if (deviceSelector !== undefined) {
    const names = selectLinks(deviceSelector, links);
    if (names.length === 0) return { expanded: [], warning: nothing('link', place, [deviceSelector]) };
    return { expanded: names.map((name) => ({ ...bare, interface: name })) };
  }
  const { bond, bridge } = device;
  const selectors = [...(bond?.deviceSelectors ?? []), ...(bridge?.deviceSelectors ?? [])];
  if (selectors.length === 0) return { expanded: [device] };
  const interfaces = selectMembers(selectors, links).filter((name) => name !== device.interface);
  if (interfaces.length === 0) {
    return { expanded: [], warning: nothing('hardware', `${place} (${device.interface})`, selectors) };
  }
  const members = { interfaces, deviceSelectors: [] };
  return {
    expanded: [
      {
        ...device,
        ...(bond === undefined ? {} : { bond: { ...bond, ...members } }),
        ...(bridge === undefined ? {} : { bridge: { ...bridge, ...members } }),
      },
    ],
  };
}

/** Members of bonds and bridges are hardware only: a virtual link that would match is none. */
function nothing(what: 'link' | 'hardware', place: string, selectors: readonly DeviceSelector[]): string {
  const wanted = selectors.map((selector) => `{${selectorText(selector)}}`).join(' or ');
  return `${place}: no ${what} matches ${wanted}; it is configured as soon as one does`;
}

const threeDigits = (index: number): string => String(index).padStart(3, '0');
