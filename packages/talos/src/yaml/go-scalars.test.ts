import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { kubeScalar, type ScalarValue, talosScalar } from './go-scalars.ts';
import { kubeJson, readYaml } from './read-yaml.ts';

const cases: readonly [text: string, kube: ScalarValue, talos: ScalarValue][] = [
  ['yes', true, 'yes'],
  ['on', true, 'on'],
  ['y', true, 'y'],
  ['TRUE', true, true],
  ['n', false, 'n'],
  ['Off', false, 'Off'],
  ['0644', 420, 420],
  ['0o644', 420, 420],
  ['1_000', 1000, 1000],
  ['0x1f', 31, 31],
  ['0b11', 3, 3],
  ['1e3', 1000, 1000],
  ['1.0', 1, 1],
  ['-0', 0, 0],
  ['12:30:45', '12:30:45', '12:30:45'],
  ['2026-01-01', '2026-01-01', '2026-01-01'],
  ['9007199254740993', 9007199254740993n, 9007199254740993n],
  ['18446744073709551615', 18446744073709551615n, 18446744073709551615n],
  ['~', null, null],
  ['', null, null],
  ['hello', 'hello', 'hello'],
  ['0123abc', '0123abc', '0123abc'],
];

describe("plain scalars in Go's dialects", () => {
  for (const [text, kube, talos] of cases) {
    it(JSON.stringify(text), () => {
      assert.deepEqual([kubeScalar(text), talosScalar(text)], [kube, talos]);
      assert.deepEqual(kubeJson(readYaml(`a: ${text}`)[0] ?? null), { a: kube });
    });
  }
});
