import type { Json, JsonObject } from '@bloomery/model';
import type { Provider } from './providers.ts';

/** No image is published yet: whoever builds one says where. A default has to be there, with a host, for clusterctl to read the file. */
const IMAGE = `\${BLOOMERY_IMAGE:=bloomery.dev/bloomery:latest}`;
const WEBHOOK_PORT = 9443;
const HEALTH_PORT = 9440;
const METRICS_PORT = 8443;

const variable = (name: string, fallback: string): string => `\${SIDERO_CONTROLLER_MANAGER_${name}:=${fallback}}`;
const API_PORT = variable('API_PORT', '8081');
const CONTAINER_API_PORT = variable('CONTAINER_API_PORT', '8081');
const SIDEROLINK_PORT = variable('SIDEROLINK_PORT', '51821');

/** Variables of Sidero's releases that the manager reads as they are, with their defaults; clusterctl knows no empty ones. */
const PASSED_ON: readonly (readonly [name: string, fallback: string])[] = [
  ['API_ENDPOINT', '-'],
  ['API_PORT', '8081'],
  ['CONTAINER_API_PORT', '8081'],
  ['SIDEROLINK_ENDPOINT', '-'],
  ['SIDEROLINK_PORT', '51821'],
  ['EXTRA_AGENT_KERNEL_ARGS', '-'],
  ['AUTO_ACCEPT_SERVERS', 'false'],
  ['AUTO_BMC_SETUP', 'true'],
  ['INSECURE_WIPE', 'true'],
  ['SERVER_REBOOT_TIMEOUT', '20m'],
  ['IPMI_PXE_METHOD', 'uefi'],
  ['BOOT_FROM_DISK_METHOD', 'ipxe-exit'],
  ['DISABLE_DHCP_PROXY', 'false'],
  ['EVENTS_NEGATIVE_ADDRESS_FILTER', '-'],
  ['TEST_POWER_EXPLICIT_FAILURE', '0'],
  ['TEST_POWER_SILENT_FAILURE', '0'],
];

/** Services of a provider: what machines call, for ours; the webhook, for all. */
export function managerServices(provider: Provider): readonly JsonObject[] {
  const { prefix } = provider;
  const webhooks = prefix === 'sidero' ? ['sidero', 'caps'] : [prefix];
  return [
    ...(prefix === 'sidero' ? machineServices(provider) : []),
    ...webhooks.map((name) => service(provider, `${name}-webhook-service`, 443, 'webhook', 'TCP')),
    service(provider, `${prefix}-metrics-service`, METRICS_PORT, 'metrics', 'TCP'),
  ];
}

function machineServices(provider: Provider): readonly JsonObject[] {
  return [
    service(provider, 'sidero-dhcp', 67, 'dhcp', 'UDP'),
    service(provider, 'sidero-tftp', 69, 'tftp', 'UDP'),
    service(provider, 'sidero-http', API_PORT, 'http', 'TCP'),
    service(provider, 'sidero-siderolink', SIDEROLINK_PORT, 'siderolink', 'UDP'),
  ];
}

function service(
  { namespace, prefix }: Provider,
  name: string,
  port: number | string,
  targetPort: string,
  protocol: string,
): JsonObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace },
    spec: { selector: selectorOf(prefix), ports: [{ port, targetPort, protocol }] },
  };
}

/** The Deployment of the provider's manager: `bloomery serve` in cluster mode, with the controllers of this provider. */
export function managerDeployment({ namespace, prefix, label }: Provider): JsonObject {
  const isSidero = prefix === 'sidero';
  const labels = selectorOf(prefix);
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: `${prefix}-controller-manager`, namespace, labels },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      ...(isSidero ? { strategy: { type: variable('DEPLOYMENT_STRATEGY', 'RollingUpdate') } } : {}),
      template: {
        metadata: { labels },
        spec: {
          serviceAccountName: `${prefix}-manager`,
          ...(isSidero ? { hostNetwork: variable('HOST_NETWORK', 'false') } : {}),
          terminationGracePeriodSeconds: 10,
          containers: [container(isSidero, label)],
          ...(isSidero
            ? { volumes: [{ name: 'dev-tun', hostPath: { path: '/dev/net/tun', type: 'CharDevice' } }] }
            : {}),
        },
      },
    },
  };
}

function container(isSidero: boolean, label: string): JsonObject {
  const health = (path: string): JsonObject => ({ httpGet: { path, port: 'health' } });
  const port = (name: string, containerPort: number | string, protocol = 'TCP'): JsonObject => ({
    name,
    containerPort,
    protocol,
  });
  return {
    name: 'manager',
    image: IMAGE,
    args: [
      'serve',
      '--kube=in-cluster',
      `--providers=${label}`,
      '--leader-elect',
      `--webhook-listen=:${WEBHOOK_PORT}`,
      `--health-listen=:${HEALTH_PORT}`,
      `--metrics-listen=:${METRICS_PORT}`,
    ],
    ...(isSidero ? { env: machineEnvironment() } : {}),
    ports: [
      ...(isSidero
        ? [
            port('dhcp', 67, 'UDP'),
            port('tftp', 69, 'UDP'),
            port('http', CONTAINER_API_PORT),
            port('siderolink', SIDEROLINK_PORT, 'UDP'),
          ]
        : []),
      port('webhook', WEBHOOK_PORT),
      port('health', HEALTH_PORT),
      port('metrics', METRICS_PORT),
    ],
    readinessProbe: health('/readyz'),
    livenessProbe: health('/healthz'),
    resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { cpu: '1000m', memory: '512Mi' } },
    terminationMessagePolicy: 'FallbackToLogsOnError',
    securityContext: isSidero
      ? { capabilities: { drop: ['ALL'], add: ['NET_ADMIN', 'NET_BIND_SERVICE'] } }
      : {
          allowPrivilegeEscalation: false,
          capabilities: { drop: ['ALL'] },
          privileged: false,
          runAsUser: 65532,
          runAsGroup: 65532,
        },
    ...(isSidero ? { volumeMounts: [{ name: 'dev-tun', mountPath: '/dev/net/tun' }] } : {}),
  };
}

function machineEnvironment(): Json {
  const own = { name: 'API_ENDPOINT', valueFrom: { fieldRef: { fieldPath: 'status.hostIP' } } };
  const passed = PASSED_ON.map(([name, fallback]) => ({
    name: `SIDERO_CONTROLLER_MANAGER_${name}`,
    value: variable(name, fallback),
  }));
  return [own, ...passed];
}

function selectorOf(prefix: string): { readonly [name: string]: string } {
  return { 'control-plane': `${prefix}-controller-manager` };
}
