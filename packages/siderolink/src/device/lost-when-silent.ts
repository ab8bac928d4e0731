import { errorText } from '@bloomery/ports';
import type { WireguardDevice } from './wireguard-device.ts';

const SILENT_LOOKS = 3;

/** The same device, which also counts as lost when three questions for its state in a row were not answered. */
export function lostWhenSilent(device: WireguardDevice): WireguardDevice {
  const silent = Promise.withResolvers<string>();
  let failures = 0;
  return {
    interfaceName: device.interfaceName,
    backend: device.backend,
    lost: Promise.race([device.lost, silent.promise]),
    update: (update) => device.update(update),
    state: async () => {
      try {
        const state = await device.state();
        failures = 0;
        return state;
      } catch (error) {
        failures++;
        if (failures === SILENT_LOOKS) silent.resolve(`the device does not answer: ${errorText(error)}`);
        throw error;
      }
    },
    [Symbol.asyncDispose]: () => device[Symbol.asyncDispose](),
  };
}
