import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { lostWhenSilent } from './lost-when-silent.ts';
import type { WireguardDevice } from './wireguard-device.ts';

function fakeDevice() {
  const lost = Promise.withResolvers<string>();
  let isSilent = false;
  const device: WireguardDevice = {
    interfaceName: 'siderolink',
    backend: 'userspace',
    lost: lost.promise,
    update: async () => {},
    state: async () => {
      if (isSilent) throw new Error('no answer in 5 s');
      return { listenPort: 1, peers: [] };
    },
    [Symbol.asyncDispose]: async () => {},
  };
  return {
    device: lostWhenSilent(device),
    lose: lost.resolve,
    setSilent: (to: boolean) => {
      isSilent = to;
    },
  };
}

const stillThere = Symbol('still there');
const lostNow = (device: WireguardDevice): Promise<string | symbol> =>
  Promise.race([device.lost, new Promise<symbol>((resolve) => setImmediate(() => resolve(stillThere)))]);

describe('a device that is asked for its state', () => {
  it('is lost when it did not answer three times in a row', async () => {
    const { device, setSilent } = fakeDevice();
    setSilent(true);
    for (let i = 0; i < 3; i++) {
      assert.equal(await lostNow(device), stillThere);
      await assert.rejects(device.state());
    }
    assert.equal(await lostNow(device), 'the device does not answer: no answer in 5 s');
  });

  it('is not lost by failures between answers', async () => {
    const { device, setSilent } = fakeDevice();
    for (let i = 0; i < 9; i++) {
      setSilent(i % 3 !== 0);
      await device.state().catch(() => {});
    }
    assert.equal(await lostNow(device), stillThere);
  });

  it('is lost when it says so itself', async () => {
    const { device, lose } = fakeDevice();
    lose('wireguard-go ended (SIGKILL)');
    assert.equal(await lostNow(device), 'wireguard-go ended (SIGKILL)');
  });
});
