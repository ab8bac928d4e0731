import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { decodeMachineEvent } from '@bloomery/siderolink';
import { eventsProto } from '@bloomery/wire';
import { fromBinary } from '@bufbuild/protobuf';
import { eventLine } from './event-line.ts';

interface Case {
  readonly type: string;
  readonly hex: string;
  readonly id?: string;
  readonly typeUrl?: string;
  readonly payload?: Readonly<Record<string, unknown>>;
}

const root = process.env['VECTORS'] ?? join(import.meta.dirname, '../../../../../test/vectors');
const file = join(root, 'siderolink', 'proto.json');
const skip = existsSync(file) ? false : `${file} does not exist`;

describe('vectors: siderolink/proto, events', { skip }, () => {
  const all: readonly Case[] = skip === false ? JSON.parse(readFileSync(file, 'utf8')).cases : [];
  const cases = all.filter((c) => c.type === 'events.EventRequest');
  for (const [i, { hex, id = '', typeUrl = '', payload = {} }] of cases.entries()) {
    it(`case ${i}: ${typeUrl} is logged as it was sent`, () => {
      const request = fromBinary(eventsProto.EventRequestSchema, Buffer.from(hex, 'hex'));
      assert.ok(request.data);
      const event = decodeMachineEvent(request.data);
      if (event === undefined) return;
      const line = eventLine({
        ...request,
        event,
        typeUrl: request.data.typeUrl,
        node: '',
        annotation: undefined,
        nowMs: 0,
      });
      const written: Record<string, unknown> = JSON.parse(line);
      assert.deepEqual([written['id'], written['type']], [id, typeUrl]);
      for (const [name, value] of Object.entries(payload)) {
        if (typeof value === 'string' || Array.isArray(value)) assert.equal(written[name], String(value), name);
      }
    });
  }
});
