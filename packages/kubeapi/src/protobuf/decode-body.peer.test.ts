import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { isJsonObject, type Json, parseJson } from '@bloomery/model';
import { decodeProtobufBody } from './decode-body.ts';

const peer = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'bloomery/peers/kube-protobuf');
const skip = existsSync(peer) ? false : `${peer} is not built (make setup builds it)`;

/** Without nulls: Go prints them for times and lists that are not set. */
function withoutNulls(value: Json | undefined): Json {
  if (Array.isArray(value)) return value.map((item: Json) => withoutNulls(item));
  if (!isJsonObject(value)) return value ?? null;
  const members = Object.entries(value).filter(([, member]) => member !== null && member !== undefined);
  return Object.fromEntries(members.map(([name, member]) => [name, withoutNulls(member)]));
}

describe('protobuf as k8s.io/api writes it', { skip }, () => {
  const cases: [title: string, seed: string, each: string][] = [
    ['every field of every kind', '0', '1'],
    ['with fields left out at random', '11', '15'],
  ];
  for (const [title, seed, each] of cases) {
    it(`${title} is read as its JSON`, () => {
      const lines = execFileSync(peer, [seed, each], { encoding: 'utf8', maxBuffer: 256 << 20 })
        .trim()
        .split('\n');
      const kinds = new Set<string>();
      for (const line of lines) {
        const sample = parseJson(line);
        assert.ok(isJsonObject(sample) && typeof sample['protobuf'] === 'string');
        const result = decodeProtobufBody(Buffer.from(sample['protobuf'], 'base64'));
        assert.ok(result.ok, result.ok ? '' : result.message);
        assert.deepEqual(withoutNulls(result.object), withoutNulls(sample['json']));
        kinds.add(`${String(sample['apiVersion'])} ${String(sample['kind'])}`);
      }
      assert.ok(kinds.size >= 56, `only ${kinds.size} kinds`);
    });
  }
});
