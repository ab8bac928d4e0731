import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startTestRuntime } from '@bloomery/cosi/testing';
import { type Logger, silentLog } from '@bloomery/ports';
import fc from 'fast-check';
import { parseKernelArguments } from '../cmdline/index.ts';
import { loadNodeConfig } from '../config/index.ts';
import { ACTIVE_CONFIG, Environment, MachineConfig } from '../resources/index.ts';
import { configuredVariables, kernelVariables } from './configured-variables.ts';
import { environmentController, STALE_ANNOTATION } from './environment-controller.ts';
import { maskedVariables } from './masked-variables.ts';
import { createNodeVariables } from './node-variables.ts';

const machine = (env: string): string => `version: v1alpha1
machine:
  type: worker
  env: ${env}
`;

const DOCUMENT = `---
apiVersion: v1alpha1
kind: EnvironmentConfig
variables:
  https_proxy: http://second:3128
  only_here: x
`;

describe('the environment of the daemon', () => {
  it('is that of the kernel arguments, over that of its process, before there is a configuration', async () => {
    const { variables, problems } = kernelVariables(
      parseKernelArguments(
        'talos.environment=http_proxy=http://p:1/?a=b talos.environment=1x=2 talos.environment=http_proxy=http://q',
      ),
    );
    assert.deepEqual(variables, { http_proxy: 'http://q' });
    assert.deepEqual(problems, ['talos.environment: "1x" is no name of a variable']);
    const own = { HTTPS_PROXY: 'http://own', http_proxy: 'http://own', PATH: '/bin', SECRET_THING: 'x' };
    assert.deepEqual(createNodeVariables(own, variables).current(), {
      HTTPS_PROXY: 'http://own',
      http_proxy: 'http://q',
    });
  });

  it('follows the configuration, the last of a name wins, and what is taken out stays until a restart', async () => {
    const warnings: string[] = [];
    const log: Logger = {
      ...silentLog,
      warn: (_event, fields) => void warnings.push(String(fields?.['notice'])),
      with: () => log,
    };
    const variables = createNodeVariables({}, { no_proxy: 'lab' });
    await using runtime = startTestRuntime([environmentController(variables)], { definitions: [MachineConfig], log });
    await runtime.settled();
    const shown = () => runtime.specs(Environment)['machined']?.variables;
    assert.deepEqual(shown(), ['no_proxy=lab']);
    const first = machine('{https_proxy: "http://user:pa@ss@first:3128", http_proxy: "http://u:p@plain:80/"}');
    await runtime.put(MachineConfig, ACTIVE_CONFIG, loadNodeConfig(first));
    assert.deepEqual(shown(), [
      'http_proxy=http://u:***@plain:80/',
      'https_proxy=http://user:***@first:3128',
      'no_proxy=lab',
    ]);
    assert.equal(variables.current()['https_proxy'], 'http://user:pa@ss@first:3128');
    await runtime.put(MachineConfig, ACTIVE_CONFIG, loadNodeConfig(`${first}${DOCUMENT}`));
    assert.equal(variables.current()['https_proxy'], 'http://second:3128');
    await runtime.put(MachineConfig, ACTIVE_CONFIG, loadNodeConfig(machine('{}')));
    assert.equal(variables.current()['https_proxy'], 'http://second:3128');
    const resource = runtime.state.get(Environment, 'machined');
    assert.equal(resource?.metadata.annotations[STALE_ANNOTATION], 'https_proxy,http_proxy,only_here');
    assert.deepEqual(warnings, [
      'https_proxy is no longer configured; it stays in force until a restart',
      'http_proxy is no longer configured; it stays in force until a restart',
      'only_here is no longer configured; it stays in force until a restart',
    ]);
  });

  it('leaves out what is no name', () => {
    const { variables, problems } = configuredVariables({
      text: '',
      documents: [{ kind: 'EnvironmentConfig', line: 1, value: { variables: { 'a-b': 'x', _ok: 5 } } }],
    });
    assert.deepEqual([variables, problems], [{ _ok: '5' }, ['environment: "a-b" is no name of a variable']]);
  });
});

describe('variables as they are shown', () => {
  const cases: [name: string, value: string, want: string][] = [
    ['https_proxy', 'http://user:secret@proxy:3128/', 'http://user:***@proxy:3128/'],
    ['https_proxy', 'user:secret@proxy', 'user:***@proxy'],
    ['https_proxy', 'http://user@proxy', 'http://user@proxy'],
    ['https_proxy', 'http://proxy:3128', 'http://proxy:3128'],
    ['no_proxy', 'a.example,10.0.0.0/8,b:8080', 'a.example,10.0.0.0/8,b:8080'],
    ['DB_PASSWORD', 'x', '***'],
    ['registry_token', 'x', '***'],
  ];
  for (const [name, value, want] of cases) {
    it(`${name}=${value} is ${want}`, () => assert.deepEqual(maskedVariables({ [name]: value }), [`${name}=${want}`]));
  }
  it('never show a password, whatever it is made of', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[!-.0->@-~]{12,40}$/), (password) => {
        const [shown = ''] = maskedVariables({ https_proxy: `http://user:${password}@proxy:3128` });
        assert.ok(!shown.includes(password), shown);
      }),
    );
  });
});
