import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { refusalErrno } from '../../kernel/kernel-error.ts';
import { describeKernel } from '../../kernel/testing/kernel-conformance.ts';
import { createFakeKernel } from './fake-kernel.ts';

describeKernel('a fake kernel', async () => {
  const kernel = createFakeKernel();
  return {
    kernel,
    plug: async (name) => kernel.plug({ name }),
    [Symbol.asyncDispose]: async () => {},
  };
});

describe('the fake of a kernel that has what this one may lack', () => {
  it('enslaves to bonds only what is down, brings it up, and gives the bond its address', async () => {
    const kernel = createFakeKernel();
    const { index, hardwareAddr } = kernel.plug({ name: 'eth0' });
    await kernel.links.change(index, { up: true });
    await kernel.links.create({ name: 'bond0', kind: 'bond', bond: { mode: 1 } });
    const bond = kernel.view.linkByName('bond0')?.index ?? 0;
    await assert.rejects(kernel.links.change(index, { masterIndex: bond }), /EPERM.*can not be enslaved while up/);
    await kernel.links.change(index, { up: false });
    await kernel.links.change(index, { masterIndex: bond });
    await kernel.links.change(bond, { up: true });
    assert.equal(kernel.view.linkByName('bond0')?.hardwareAddr, hardwareAddr);
    assert.equal(kernel.view.linkByName('bond0')?.operationalState, 6);
    kernel.setCarrier('eth0', false);
    assert.equal(kernel.view.linkByName('bond0')?.operationalState, 2);
  });

  it('changes the mode of a bond only while that is down and empty', async () => {
    const kernel = createFakeKernel();
    const { index } = kernel.plug({ name: 'eth0' });
    await kernel.links.create({ name: 'bond0', kind: 'bond' });
    const bond = kernel.view.linkByName('bond0')?.index ?? 0;
    await kernel.links.change(index, { masterIndex: bond });
    await assert.rejects(kernel.links.change(bond, { bond: { mode: 4 } }), /ENOTEMPTY/);
    await kernel.links.change(index, { masterIndex: 0 });
    await kernel.links.change(bond, { up: true });
    await assert.rejects(kernel.links.change(bond, { bond: { mode: 4 } }), /EBUSY/);
    await kernel.links.change(bond, { up: false });
    await kernel.links.change(bond, { bond: { mode: 4 } });
    assert.equal(kernel.view.linkByName('bond0')?.bond?.['mode'], 4);
  });

  it('has VLANs, which go with their parent and come up after it', async () => {
    const kernel = createFakeKernel();
    const { index } = kernel.plug({ name: 'eth0' });
    const vlan = { id: 5, protocol: 0x8100 };
    await kernel.links.create({ name: 'eth0.5', kind: 'vlan', parentIndex: index, vlan });
    await assert.rejects(
      kernel.links.create({ name: 'again', kind: 'vlan', parentIndex: index, vlan }),
      /EEXIST.*VLAN device already exists/,
    );
    const own = kernel.view.linkByName('eth0.5')?.index ?? 0;
    await assert.rejects(kernel.links.change(own, { up: true }), /ENETDOWN/);
    kernel.unplug('eth0');
    assert.equal(kernel.view.linkByName('eth0.5'), undefined);
  });

  it('does not remove cards', async () => {
    const kernel = createFakeKernel();
    const { index } = kernel.plug({ name: 'eth0' });
    await assert.rejects(kernel.links.remove(index), (error) => refusalErrno(error) === 'EOPNOTSUPP');
  });

  it('refuses what a test wants it to, so many times, and writes down what was asked for', async () => {
    const kernel = createFakeKernel();
    kernel.refuse('link.create br0', 'EPERM', 1);
    await assert.rejects(kernel.links.create({ name: 'br0', kind: 'bridge' }), /EPERM Operation not permitted/);
    await kernel.links.create({ name: 'br0', kind: 'bridge' });
    assert.deepEqual(kernel.operations, ['link.create br0 bridge !EPERM', 'link.create br0 bridge']);
  });

  it('can lose messages', () => {
    const kernel = createFakeKernel();
    const told: string[] = [];
    kernel.listen(({ of }) => told.push(of));
    kernel.lose();
    assert.deepEqual(told, ['all']);
  });
});
