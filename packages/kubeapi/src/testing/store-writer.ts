import { randomBytes, randomInt } from 'node:crypto';
import { writeSync } from 'node:fs';
import { silentLog, systemClock } from '@bloomery/ports';
import { asApiObject } from '../api-object.ts';
import { openStore } from '../store/open-store.ts';
import type { ObjectId } from '../store/store.ts';

/**
 * A process to be killed: `node store-writer.ts DIR FIRST`. 64 workers create, update and delete objects of three resources at
 * once, and two of one turn always carry the same number. It prints `sent WORKER NUMBER`, and, when they are acknowledged,
 * `done WORKER NUMBER RESOURCE NAME REVISION|gone@REVISION` for each write.
 */
const [dir = '', first = '1'] = process.argv.slice(2);
const WORKERS = 64;
const RESOURCES = ['left.example.dev', 'configmaps', 'secrets'] as const;
const random = (length: number): Uint8Array => randomBytes(length);
const store = openStore({
  dir,
  clock: systemClock,
  log: silentLog,
  random,
  keepRevisions: 500,
  keepMs: 0,
  keepBytes: 0,
});

async function write(worker: number, number: number, resource: string): Promise<string> {
  const name = `w${worker}`;
  const id: ObjectId = { resource, namespace: `n${worker % 3}`, name };
  const isGone = number % 7 === 0 && store.head(id) !== undefined;
  const filler = 'x'.repeat(randomInt(3000));
  const build = (resourceVersion: string) =>
    asApiObject({
      apiVersion: 'v1',
      kind: 'Numbered',
      metadata: { name, namespace: id.namespace, resourceVersion },
      number,
      filler,
    });
  const { metadata } = await (isGone ? store.remove(id, build) : store.put(id, build));
  return `done ${worker} ${number} ${resource} ${isGone ? 'gone@' : ''}${metadata.resourceVersion}\n`;
}

async function work(worker: number): Promise<never> {
  for (let number = Number(first); ; number++) {
    writeSync(1, `sent ${worker} ${number}\n`);
    const done = await Promise.all(RESOURCES.map((resource) => write(worker, number, resource)));
    writeSync(1, done.join(''));
  }
}

await Promise.all(Array.from({ length: WORKERS }, (_, worker) => work(worker)));
