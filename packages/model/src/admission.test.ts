import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { talosConfigV1alpha3 } from './bootstrap/talos-config.ts';
import { talosControlPlane } from './controlplane/talos-control-plane.ts';
import type { JsonObject } from './json.ts';
import type { KindDefinition } from './kind.ts';
import { environment } from './metal/environment.ts';
import { server } from './metal/server.ts';
import { serverClass } from './metal/server-class.ts';

const fields = (kind: KindDefinition, spec: JsonObject, old?: JsonObject): readonly string[] =>
  kind.admit?.({ spec }, old && { spec: old }).problems.map((p) => p.field) ?? [];
const warnings = (kind: KindDefinition, spec: JsonObject): readonly string[] =>
  kind.admit?.({ spec }, undefined).warnings ?? [];

describe('admission beyond upstream', () => {
  it('every problem of a Server is named at once, in upstream order', () => {
    const spec = { pxeMode: 'x', bootFromDiskMethod: 'y', configPatches: [{ op: 'add' }, { op: 'z' }] };
    assert.deepEqual(fields(server, spec), ['spec.bootFromDiskMethod', 'spec.pxeMode', 'spec.configPatches.1.op']);
  });
  it('a class selector that cannot be evaluated is refused when it is new, and stays editable when it is old', () => {
    const broken = { selector: { matchExpressions: [{ key: 'a', operator: 'in', values: ['b'] }] } };
    assert.deepEqual(fields(serverClass, broken), ['spec.selector']);
    assert.deepEqual(fields(serverClass, { ...broken, strategicPatches: [] }, broken), []);
  });
  it('a patch path that is no pointer and a patch text that is no YAML are warned of', () => {
    const got = warnings(server, {
      configPatches: [
        { op: 'add', path: 'a' },
        { op: 'add', path: '/a~2' },
        { op: 'add', path: '/a~1b/-' },
      ],
      strategicPatches: ['a: [', 'a: 1\n---\nb: 2'],
    });
    assert.deepEqual(
      got.map((w) => w.split(':')[0]),
      ['spec.configPatches.0.path', 'spec.configPatches.1.path', 'spec.strategicPatches.0'],
    );
  });
  it('a URL and a sum that cannot work are warned of', () => {
    const got = warnings(environment, {
      kernel: { url: 'ftp://a/b', sha512: 'ab' },
      initrd: { url: 'http://a/b', sha512: 'a'.repeat(128) },
      architectures: { arm64: { kernel: { url: 'nonsense' } } },
    });
    assert.deepEqual(
      got.map((w) => w.split(':')[0]),
      ['spec.kernel.url', 'spec.kernel.sha512', 'spec.architectures.arm64.kernel.url'],
    );
  });
  it('the spec of a TalosConfig never changes', () => {
    const refused = talosConfigV1alpha3.admit?.({ spec: { generateType: 'none' } }, { spec: { generateType: 'join' } });
    assert.equal(refused?.badRequest, 'TalosConfig.Spec is immutable');
    assert.deepEqual(fields(talosConfigV1alpha3, { hostname: { source: 'Uuid' } }), ['spec.hostname.source']);
  });
  it('a control plane version gets its v, the template its namespace', () => {
    const spec = { version: '1.2.3', infrastructureTemplate: { name: 't' } };
    assert.deepEqual(talosControlPlane.defaults?.({ metadata: { namespace: 'n' }, spec })['spec'], {
      version: 'v1.2.3',
      infrastructureTemplate: { name: 't', namespace: 'n' },
    });
    assert.deepEqual(fields(talosControlPlane, { rolloutStrategy: { type: 'Big' } }), ['spec.rolloutStrategy.type']);
    assert.deepEqual(fields(talosControlPlane, { rolloutStrategy: { type: 'InPlace' } }), []);
  });
  it('a surge of the control plane is a number of machines and no percentage', () => {
    const surge = (maxSurge: JsonObject[string]): JsonObject => ({ rolloutStrategy: { rollingUpdate: { maxSurge } } });
    for (const given of ['50%', -1, 0.5, '1']) {
      assert.deepEqual(fields(talosControlPlane, surge(given)), ['spec.rolloutStrategy.rollingUpdate.maxSurge']);
    }
    assert.deepEqual(fields(talosControlPlane, surge(0)), []);
  });
  it('a control plane of workers is warned of', () => {
    const of = (generateType: string): string =>
      warnings(talosControlPlane, { controlPlaneConfig: { controlplane: { generateType } } }).join();
    assert.match(of('worker'), /generateType: "worker" makes workers, which cannot be a control plane/);
    assert.equal(of('controlplane'), '');
    assert.equal(of('none'), '');
  });
  it('replicas that mean something else than people expect are warned of', () => {
    const of = (spec: JsonObject): string => warnings(talosControlPlane, spec).join().slice(0, 70);
    assert.equal(of({ replicas: 0 }), 'spec.replicas: 0 makes no machine and removes none: the last machine h');
    assert.equal(of({ replicas: 4 }), 'spec.replicas: 4 members of etcd survive the failure of 1, as 3 do; us');
    assert.equal(of({ replicas: 3 }), '');
    assert.match(
      of({ replicas: 1, rolloutStrategy: { rollingUpdate: { maxSurge: 0 } } }),
      /maxSurge: with one replica/,
    );
  });
});
