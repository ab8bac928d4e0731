import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { agentProto, decodeSmbios } from '@bloomery/wire';
import { fromBinary, toBinary, toJson } from '@bufbuild/protobuf';
import { createServerRequest } from './hardware-information.ts';

interface Case {
  readonly name: string;
  readonly dmi_base64: string;
  readonly smbiosMajor: number;
  readonly smbiosMinor: number;
  readonly smbiosRevision?: number;
  readonly expect: {
    readonly hardware: {
      readonly system: Record<string, unknown>;
      readonly compute: Record<string, unknown>;
      readonly memory: { readonly totalSize?: string } & Record<string, unknown>;
    };
  };
  readonly createServerRequest_base64?: string;
}

const root = process.env['VECTORS'] ?? join(import.meta.dirname, '../../../../test/vectors');
const file = join(root, 'boot/smbios.json');
const cases: readonly Case[] = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).cases : [];

describe('SMBIOS vectors', { skip: cases.length === 0 && `no cases: ${file}` }, () => {
  for (const c of cases) {
    it(c.name, () => {
      const version = { major: c.smbiosMajor, minor: c.smbiosMinor, revision: c.smbiosRevision ?? 0 };
      const smbios = decodeSmbios(Buffer.from(c.dmi_base64, 'base64'), version);
      const request = createServerRequest({ smbios, disks: [], links: [] }, `host-${c.name}`);
      const { hardware } = toJson(agentProto.CreateServerRequestSchema, request) as unknown as Case['expect'];
      const { system, compute, memory } = hardware;
      const { version: reported, ...wantSystem } = c.expect.hardware.system;
      assert.ok(reported === undefined || reported === smbios.system.version);
      assert.deepEqual(system, wantSystem);
      assert.deepEqual(compute, c.expect.hardware.compute);
      const { totalSize: wantTotal, ...wantMemory } = c.expect.hardware.memory;
      const { totalSize, ...gotMemory } = memory;
      assert.deepEqual(gotMemory, wantMemory);
      assert.equal(`${Math.floor(Number(totalSize ?? 0) / 1024)} GB`, wantTotal);
      if (c.createServerRequest_base64 === undefined) return;
      const want = Buffer.from(c.createServerRequest_base64, 'base64');
      assert.deepEqual(
        toJson(agentProto.CreateServerRequestSchema, request),
        toJson(agentProto.CreateServerRequestSchema, fromBinary(agentProto.CreateServerRequestSchema, want)),
      );
      assert.deepEqual(Buffer.from(toBinary(agentProto.CreateServerRequestSchema, request)), want);
    });
  }
});
