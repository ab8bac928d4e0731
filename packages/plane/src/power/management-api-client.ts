import { request } from 'node:http';
import { BloomeryError, errorText } from '@bloomery/ports';
import type { PowerClient } from './power-client.ts';

/** Test failures of the management API, as probabilities 0 … 1 (upstream's TEST_POWER_* variables). */
export interface FailureDice {
  readonly explicit: number;
  readonly silent: number;
  readonly random: () => number;
}

const TIMEOUT_MS = 10_000;
const MAX_BODY = 64 * 1024;

function call(endpoint: string, method: 'GET' | 'POST', path: string): Promise<string> {
  const what = `${method} http://${endpoint}${path}`;
  const unreachable = (cause: unknown): BloomeryError =>
    new BloomeryError('BLM_BMC_UNREACHABLE', `${what}: ${errorText(cause)}`, {
      retryable: true,
      facts: { bmc: endpoint, transport: 'management-api' },
      cause,
    });
  return new Promise((resolve, reject) => {
    if (!URL.canParse(`http://${endpoint}${path}`)) return reject(unreachable('the endpoint is not host:port'));
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const fail = (error: unknown): void =>
      reject(unreachable(signal.aborted ? `no answer in ${TIMEOUT_MS / 1000} s` : error));
    const sent = request(`http://${endpoint}${path}`, { method, signal, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text;
        if (body.length > MAX_BODY) response.destroy(new Error(`the answer is larger than ${MAX_BODY} bytes`));
      });
      response.on('error', fail);
      response.on('end', () => {
        if (response.statusCode === 200) return resolve(body);
        const message = `${what}: HTTP ${response.statusCode}`;
        reject(new BloomeryError('BLM_BMC_FAILED', message, { retryable: true, facts: { bmc: endpoint } }));
      });
    });
    sent.on('error', fail);
    sent.end();
  });
}

/**
 * Make the power client for spec.managementApi: `POST /poweron|poweroff|reboot|pxeboot`, `GET /status`.
 * @param endpoint `host:port`
 */
export function createManagementApiClient(endpoint: string, dice?: FailureDice): PowerClient {
  const post = async (path: string): Promise<void> => {
    if (dice !== undefined && dice.random() < dice.explicit) {
      throw new BloomeryError('BLM_BMC_FAILED', 'simulated failure from the power management', { retryable: true });
    }
    if (dice !== undefined && dice.random() < dice.silent) return;
    await call(endpoint, 'POST', path);
  };
  return {
    isFake: false,
    async isPoweredOn() {
      const text = await call(endpoint, 'GET', '/status');
      let status: unknown;
      try {
        status = JSON.parse(text);
      } catch {
        status = undefined;
      }
      const on = typeof status === 'object' && status !== null ? Reflect.get(status, 'PoweredOn') : undefined;
      if (typeof on !== 'boolean') {
        throw new BloomeryError('BLM_BMC_FAILED', `GET http://${endpoint}/status: the answer has no PoweredOn`, {
          retryable: true,
          facts: { bmc: endpoint },
        });
      }
      return dice !== undefined && dice.random() < dice.silent ? !on : on;
    },
    powerOn: () => post('/poweron'),
    powerOff: () => post('/poweroff'),
    powerCycle: () => post('/reboot'),
    setPxeOnce: () => post('/pxeboot'),
  };
}
