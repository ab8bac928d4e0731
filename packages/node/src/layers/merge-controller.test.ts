import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Controller } from '@bloomery/cosi';
import { startTestRuntime } from '@bloomery/cosi/testing';
import { LinkSpec } from '../resources/links.ts';
import { LAYERED } from '../resources/machine-config.ts';
import { type ConfigLayer, layeredId, layerRank } from './config-layer.ts';
import { mergeController } from './merge-controller.ts';
import { createProblems, PROBLEM_ANNOTATION } from './problems.ts';

const options = { name: 'test.MergeController', definition: LinkSpec, idOf: ({ name }: LinkSpec) => name };
const spec = (layer: ConfigLayer, mtu: number): LinkSpec => LinkSpec.make({ name: 'eth0', layer, mtu });
const at = { namespace: LAYERED };

/** Holds on to merged specs, as who works on the kernel does. */
function holder(isLettingGo: () => boolean): Controller {
  return {
    name: 'test.HoldController',
    inputs: [{ definition: LinkSpec, kind: 'strong' }],
    outputs: [],
    reconcile: (context) => {
      for (const { metadata } of context.list(LinkSpec)) {
        if (metadata.phase === 'running') context.hold(LinkSpec, metadata.id);
        else if (isLettingGo()) context.release(LinkSpec, metadata.id);
        else context.wakeAfter(1_000);
      }
    },
  };
}

describe('merging layers', () => {
  it('takes the highest, whichever came last', async () => {
    await using runtime = startTestRuntime([mergeController(options)]);
    for (const layer of ['configuration', 'default', 'operator'] as const) {
      await runtime.put(LinkSpec, layeredId(layer, 'eth0'), spec(layer, layerRank({ layer }) + 100), at);
    }
    assert.deepEqual(runtime.specs(LinkSpec), { eth0: spec('configuration', 104) });
    await runtime.remove(LinkSpec, 'configuration/eth0', at);
    assert.deepEqual(runtime.specs(LinkSpec), { eth0: spec('operator', 103) });
    await runtime.remove(LinkSpec, 'operator/eth0', at);
    await runtime.remove(LinkSpec, 'default/eth0', at);
    assert.deepEqual(runtime.specs(LinkSpec), {});
  });

  it('goes by what a spec says, not by its layered id: operators put their own in front', async () => {
    await using runtime = startTestRuntime([mergeController(options)]);
    await runtime.put(LinkSpec, 'dhcp4/eth0/eth0', spec('operator', 1), at);
    await runtime.put(LinkSpec, layeredId('default', 'eth0'), spec('default', 2), at);
    assert.deepEqual(runtime.specs(LinkSpec), { eth0: spec('operator', 1) });
  });

  it('gives a merge of its own all specs, lowest first, those of one layer by their ids', async () => {
    const merge = (specs: readonly LinkSpec[]): LinkSpec => {
      const digits = specs.map(({ mtu }) => mtu).join('');
      return spec('configuration', Number(digits));
    };
    await using runtime = startTestRuntime([mergeController({ ...options, merge })]);
    await runtime.put(LinkSpec, 'configuration/a', spec('configuration', 3), at);
    await runtime.put(LinkSpec, 'z', spec('operator', 2), at);
    await runtime.put(LinkSpec, 'b', spec('operator', 1), at);
    assert.equal(runtime.specs(LinkSpec)['eth0']?.mtu, 123);
  });

  it('shows what stands in the way of a spec, as long as it does', async () => {
    const problems = createProblems();
    await using runtime = startTestRuntime([mergeController({ ...options, problems })]);
    await runtime.put(LinkSpec, 'default/eth0', spec('default', 1), at);
    const shown = (): unknown => runtime.state.get(LinkSpec, 'eth0')?.metadata.annotations;
    problems.set('eth0', 'EBUSY');
    await runtime.settled();
    assert.deepEqual(shown(), { [PROBLEM_ANNOTATION]: 'EBUSY' });
    problems.set('eth0', undefined);
    await runtime.settled();
    assert.deepEqual(shown(), {});
  });

  it('writes nothing when nothing changes', async () => {
    const problems = createProblems();
    await using runtime = startTestRuntime([mergeController({ ...options, problems })]);
    await runtime.put(LinkSpec, 'default/eth0', spec('default', 1), at);
    problems.set('other', 'EBUSY');
    await runtime.settled();
    assert.equal(runtime.state.get(LinkSpec, 'eth0')?.metadata.version, 1);
  });

  it('begins a spec anew only when its holders have let go of the old one', async () => {
    let isLettingGo = false;
    await using runtime = startTestRuntime([mergeController(options), holder(() => isLettingGo)]);
    await runtime.put(LinkSpec, 'default/eth0', spec('default', 1), at);
    await runtime.remove(LinkSpec, 'default/eth0', at);
    await runtime.put(LinkSpec, 'operator/eth0', spec('operator', 2), at);
    const merged = () => runtime.state.get(LinkSpec, 'eth0');
    assert.equal(merged()?.metadata.phase, 'tearingDown');
    assert.equal(merged()?.spec.mtu, 1);
    isLettingGo = true;
    await runtime.advance(2_000);
    assert.equal(merged()?.metadata.phase, 'running');
    assert.equal(merged()?.spec.mtu, 2);
  });

  it('ranks a layer that it does not know lowest', () => {
    assert.ok(layerRank({ layer: '9' }) < layerRank({ layer: 'default' }));
    assert.ok(layerRank({ layer: 'toString' }) < layerRank({ layer: 'default' }));
  });
});
