import { randomBytes } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { objectClientConformance } from '@bloomery/kube/testing';
import { allKinds } from '@bloomery/model';
import { silentLog, systemClock } from '@bloomery/ports';
import { startApiEngine } from '../api-engine.ts';
import { openStore } from '../store/open-store.ts';

const random = (length: number): Uint8Array => randomBytes(length);

describe('the in-process client', () => {
  const makeClient = async () => {
    const dir = mkdtempSync(join(tmpdir(), 'bloomery-api-'));
    const store = openStore({ dir, clock: systemClock, log: silentLog, random });
    return (await startApiEngine({ store, kinds: allKinds, clock: systemClock, log: silentLog, random })).client;
  };
  for (const { name, run } of objectClientConformance(makeClient)) it(name, run);
});
