/**
 * The providers' controllers and webhooks against a real kube-apiserver, as cluster mode runs them; Cluster API core is somebody
 * else's. A program for tests.
 * usage: cluster-mode-main.ts KUBECONFIG DIR (holds webhook.crt and webhook.key)
 * Prints {"webhooks":"host:port"} when its webhooks listen; its controllers start at once.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createEventRecorder, createObjectCache, createRemoteClient, loadKubeconfig } from '@bloomery/kube';
import { allKinds, cluster, server } from '@bloomery/model';
import { createWipeBudget, openBootSessions, openTimeline } from '@bloomery/plane';
import { hostPort, systemClock } from '@bloomery/ports';
import { createJsonLog } from '../json-log.ts';
import { parseServeOptions } from '../serve/options.ts';
import { startPlaneControllers } from '../serve/plane-controllers.ts';
import { startWebhookListener } from '../webhooks/webhook-listener.ts';

const [, , kubeconfig = '', dataDir = ''] = process.argv;
const log = createJsonLog('info');
const clock = systemClock;
const parsed = parseServeOptions({ data: dataDir, clusterApi: 'external' }, {}, dataDir);
if (!parsed.ok) throw new Error('the options of cluster mode');
const client = createRemoteClient(await loadKubeconfig(kubeconfig));
const webhooks = await startWebhookListener(
  { host: '127.0.0.1', port: 0 },
  {
    kinds: allKinds.filter(({ group }) => group !== cluster.group),
    certificate: {
      cert: readFileSync(join(dataDir, 'webhook.crt'), 'utf8'),
      key: readFileSync(join(dataDir, 'webhook.key'), 'utf8'),
    },
    log,
  },
);
const cache = createObjectCache();
startPlaneControllers(
  parsed.options,
  {
    client,
    cache,
    events: createEventRecorder({ client, clock, log, component: 'bloomery' }),
    timeline: openTimeline({ file: join(dataDir, 'timeline.db'), clock, log }),
    sessions: openBootSessions,
    budget: createWipeBudget(clock, () => cache.list(server)),
    metrics: { depth() {}, added() {}, retried() {}, reconciled() {} },
    clock,
    log,
    random: (length) => randomBytes(length),
  },
  new AbortController().signal,
);
process.stdout.write(`${JSON.stringify({ webhooks: hostPort(webhooks.address) })}\n`);
