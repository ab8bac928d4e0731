import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { closeConnections } from './testing/conformance/api-client.ts';
import { AREAS } from './testing/conformance/areas.ts';
import { startBloomery } from './testing/conformance/bloomery-target.ts';
import { missingPeers, startKubeApiserver } from './testing/conformance/kube-apiserver.ts';
import { plain, readRecording } from './testing/conformance/recording.ts';
import { runCase } from './testing/conformance/run-case.ts';
import { prepareShared } from './testing/conformance/shared-kinds.ts';
import type { Target } from './testing/conformance/target.ts';

const missing = missingPeers();
const TARGETS = [
  { name: 'kube-apiserver 1.34', start: startKubeApiserver, skip: missing ?? false, isOurs: false },
  { name: 'bloomery serve', start: startBloomery, skip: false, isOurs: true },
] as const;

for (const { name, start, skip, isOurs } of TARGETS) {
  describe(`${name} answers as recorded`, { skip }, () => {
    let target: Target;
    before(async () => {
      target = await start();
      await prepareShared(target);
    });
    after(async () => {
      closeConnections();
      await target?.[Symbol.asyncDispose]();
    });
    for (const area of AREAS) {
      const recording = readRecording(area.name);
      const absent = (area.needs ?? []).filter((program) => !existsSync(program));
      const without = absent.length > 0 && `${absent.join(', ')} is not there; run scripts/setup peers`;
      describe(area.name, { concurrency: area.concurrency ?? 4, skip: without }, () => {
        for (const [title, test] of Object.entries(area.cases)) {
          it(title, { timeout: 90_000 }, async () => {
            const recorded = recording[title];
            assert.ok(recorded, 'not recorded: run packages/kubeapi/src/testing/conformance/main.ts record');
            const wanted = isOurs ? (recorded.ours ?? recorded.steps) : recorded.steps;
            assert.deepEqual(plain(await runCase(target, test)), plain(wanted));
          });
        }
      });
    }
  });
}
