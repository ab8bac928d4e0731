import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { agentProto } from '@bloomery/wire';
import { fromBinary } from '@bufbuild/protobuf';
import { hardwareFromAgent } from './server-hardware.ts';

interface Case {
  readonly name: string;
  readonly expect: { readonly hardware: { readonly system: Record<string, unknown> } & Record<string, unknown> };
  readonly createServerRequest_base64?: string;
}

const root = process.env['VECTORS'] ?? join(import.meta.dirname, '../../../../test/vectors');
const file = join(root, 'boot/smbios.json');
const cases: readonly Case[] = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).cases : [];

// From SMBIOS to the request: packages/agent/src/hardware/smbios.vectors.test.ts.
describe('CreateServer request to spec.hardware', { skip: cases.length === 0 && `no cases: ${file}` }, () => {
  for (const { name, createServerRequest_base64: base64, expect } of cases) {
    it(name, { skip: base64 === undefined && 'the case brings no request' }, () => {
      const { hardware } = fromBinary(agentProto.CreateServerRequestSchema, Buffer.from(base64 ?? '', 'base64'));
      assert.ok(hardware !== undefined);
      const { system, storage, network, ...rest } = hardwareFromAgent(hardware);
      const { system: wantSystem, storage: _storage, network: _network, ...want } = expect.hardware;
      // The version may be reported or not.
      const { version: _version, ...gotSystem } = { version: '', ...system };
      const { version: _wanted, ...wanted } = { version: '', ...wantSystem };
      assert.deepEqual(gotSystem, wanted);
      assert.deepEqual(rest, want);
      assert.deepEqual([storage?.devices, network?.interfaces], [undefined, undefined]);
    });
  }
});
