import { randomBytes } from 'node:crypto';
import { writeSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { silentLog, systemClock } from '@bloomery/ports';
import { asApiObject } from '../api-object.ts';
import { openStore } from '../store/open-store.ts';
import type { ObjectId } from '../store/store.ts';

/**
 * A process to be killed: writes pairs of objects in one turn each, `node store-writer.ts DIR FIRST`, and prints
 * `PAIR NUMBER REVISION` on stdout when both of a pair are acknowledged.
 */
const [dir = '', first = '1'] = process.argv.slice(2);
const PAIRS = 8;
const random = (length: number): Uint8Array => randomBytes(length);
const store = openStore({ dir, clock: systemClock, log: silentLog, random, keepRevisions: 100, keepMs: 0 });

function put(resource: string, name: string, number: number) {
  const id: ObjectId = { resource, namespace: 'n', name };
  return store.put(id, (resourceVersion) =>
    asApiObject({ apiVersion: 'v1', kind: 'Pair', metadata: { name, namespace: 'n', resourceVersion }, number }),
  );
}

async function writePair(pair: number): Promise<void> {
  for (let number = Number(first); ; number++) {
    const [, b] = await Promise.all([put('left', `p${pair}`, number), put('secrets', `p${pair}`, number)]);
    writeSync(1, `${pair} ${number} ${b.metadata.resourceVersion}\n`);
    for (let turn = pair; turn > 0; turn--) await nextTurn();
  }
}

await Promise.all(Array.from({ length: PAIRS }, (_, pair) => writePair(pair)));
