import type { JsonObject } from '@bloomery/model';
import { area } from '../area.ts';
import { at, configMap, content, lease, thing } from '../objects.ts';
import { THING } from '../shared-kinds.ts';

const LOUD = {
  look: (b: JsonObject, a: { headers: Readonly<Record<string, string>> }) => ({
    body: content(b),
    warnings: (a.headers['warning']?.split('\n') ?? []).sort(),
  }),
};
const twice = `{"apiVersion":"${THING}","kind":"Thing","metadata":{"name":"t","labels":{"a":"1","a":"2"}},"spec":{"size":1,"size":2,"typo":1,"nested":{"zz":1}}}`;
const twiceMap = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"a":"1","a":"2"}}';

/** Dry run, strictness of fields, pretty printing, warnings. */
export const options = area('options', {
  'a dry run does everything but store': async (s) => {
    await s.post(`${s.core('configmaps')}?dryRun=All`, configMap('a'));
    await s.get(s.core('configmaps/a'), { look: 'code' });
    await s.post(`${s.api(THING, 'things')}?dryRun=All`, thing('t'));
    await s.post(`${s.api(THING, 'things')}?dryRun=All`, thing('t', { size: 101 }), { look: 'gist' });
    await s.post(s.api(THING, 'things'), thing('t'));
    await s.post(`${s.api(THING, 'things')}?dryRun=All`, thing('t'), { look: 'gist' });
    await s.patch(`${s.api(THING, 'things/t')}?dryRun=All`, { spec: { size: 2 } });
    await s.apply(`${s.api(THING, 'things/t')}?dryRun=All`, 'x', thing('t', { note: 'n', size: 1 }));
    await s.apply(`${s.api(THING, 'things/none')}?dryRun=All`, 'x', thing('none', { note: 'n', size: 1 }));
    await s.patch(`${s.api(THING, 'things/t/status')}?dryRun=All`, { status: { phase: 'p' } });
    await s.delete(`${s.api(THING, 'things/t')}?dryRun=All`);
    await s.get(s.api(THING, 'things/t'));
  },
  'dryRun has one value': async (s) => {
    for (const value of ['Some', 'all', '', 'All&dryRun=All', 'true'])
      await s.post(`${s.core('configmaps')}?dryRun=${value}`, configMap('a'), {
        look: (b) => (b['kind'] === 'Status' ? b : 'made'),
      });
  },
  'unknown fields are warned of unless told otherwise': async (s) => {
    const bad = {
      ...thing('t', { size: 1, typo: 1, nested: { zz: 1 } }),
      extra: true,
      metadata: { name: 't', odd: 1 },
    };
    for (const mode of [
      '',
      '?fieldValidation=Warn',
      '?fieldValidation=Ignore',
      '?fieldValidation=Strict',
      '?fieldValidation=Other',
    ]) {
      await s.post(`${s.api(THING, 'things')}${mode}`, bad, LOUD);
      await s.quiet('DELETE', s.api(THING, 'things/t'));
    }
    const worse = { ...configMap('a'), typo: 1, metadata: { name: 'a', odd: { x: 1 } } };
    for (const mode of ['', '?fieldValidation=Ignore', '?fieldValidation=Strict', '?fieldValidation=Other']) {
      await s.post(`${s.core('configmaps')}${mode}`, worse, LOUD);
      await s.quiet('DELETE', s.core('configmaps/a'));
    }
  },
  'fields given twice are warned of': async (s) => {
    for (const mode of ['', '?fieldValidation=Strict', '?fieldValidation=Ignore']) {
      await s.post(`${s.api(THING, 'things')}${mode}`, twice, LOUD);
      await s.post(`${s.core('configmaps')}${mode}`, twiceMap, LOUD);
      await s.quiet('DELETE', s.api(THING, 'things/t'));
      await s.quiet('DELETE', s.core('configmaps/a'));
    }
    const yaml = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: y}\ndata:\n  a: "1"\n  a: "2"\n';
    await s.post(`${s.core('configmaps')}?fieldValidation=Strict`, yaml, { type: 'application/yaml', ...LOUD });
    await s.post(s.core('configmaps'), yaml, { type: 'application/yaml', ...LOUD });
  },
  'updates are strict about fields too': async (s) => {
    await s.must('POST', s.api(THING, 'things'), thing('t'));
    await s.must('POST', s.core('configmaps'), configMap('a'));
    const now = await s.quiet('GET', s.api(THING, 'things/t'));
    const bad = { ...now.body, spec: { size: 1, typo: 1 }, extra: 1 };
    await s.put(`${s.api(THING, 'things/t')}?fieldValidation=Strict`, bad, LOUD);
    await s.put(s.api(THING, 'things/t'), bad, LOUD);
    await s.put(`${s.core('configmaps/a')}?fieldValidation=Strict`, { ...configMap('a'), typo: 1 }, LOUD);
  },
  'patches are strict about fields too': async (s) => {
    await s.must('POST', s.api(THING, 'things'), thing('t'));
    await s.must('POST', s.core('configmaps'), configMap('a'));
    for (const mode of ['', '?fieldValidation=Strict', '?fieldValidation=Ignore']) {
      await s.patch(`${s.api(THING, 'things/t')}${mode}`, { spec: { typo: 1 }, extra: 1 }, LOUD);
      await s.patch(`${s.api(THING, 'things/t')}${mode}`, [{ op: 'add', path: '/spec/typo', value: 1 }], {
        type: 'application/json-patch+json',
        ...LOUD,
      });
      await s.patch(`${s.core('configmaps/a')}${mode}`, { typo: 1 }, LOUD);
      await s.patch(`${s.core('configmaps/a')}${mode}`, [{ op: 'add', path: '/typo', value: 1 }], {
        type: 'application/json-patch+json',
        ...LOUD,
      });
      await s.patch(
        `${s.core('configmaps/a')}${mode}`,
        { typo: 1 },
        { type: 'application/strategic-merge-patch+json', ...LOUD },
      );
    }
  },
  'applies are strict about fields too': {
    differs: 'a body that does not fit its schema is the fault of its sender: 422 with the same words, not 500',
    run: async (s) => {
      for (const mode of ['', '?fieldValidation=Strict', '?fieldValidation=Ignore']) {
        await s.apply(`${s.core('configmaps/a')}${mode}`, 'x', { ...configMap('a'), typo: 1 }, { look: 'code' });
        await s.apply(`${s.api(THING, 'things/t')}${mode}`, 'x', thing('t', { size: 1, typo: 1 }), { look: 'code' });
      }
    },
  },
  'unknown parameters of a query are ignored': async (s) => {
    await s.post(`${s.core('configmaps')}?nonsense=1`, configMap('a'), { look: 'code' });
    await s.get(`${s.core('configmaps/a')}?nonsense=1`, { look: 'code' });
    await s.get(`${s.core('configmaps')}?limit=x`, { look: 'gist' });
    await s.get(`${s.core('configmaps')}?timeoutSeconds=x`, { look: 'gist' });
  },
  'answers are pretty when asked': async (s) => {
    await s.must('POST', s.core('configmaps'), configMap('a'));
    for (const [query, agent] of [
      ['', 'x'],
      ['?pretty=true', 'x'],
      ['?pretty=1', 'x'],
      ['', 'curl/7.0'],
      ['', 'Wget/1'],
      ['', 'Mozilla/5.0'],
      ['?pretty=false', 'curl/7.0'],
    ] as const)
      await s.get(`${s.core('configmaps/a')}${query}`, {
        headers: { 'user-agent': agent },
        look: (_, a) => [a.text.includes('\n  "'), a.text.split('\n')[1]?.startsWith('  "') ?? false],
      });
  },
  'a lease is created by an update, other kinds are not': async (s) => {
    await s.put(s.api('coordination.k8s.io/v1', 'leases/l'), lease('l', 'me'), { look: content });
    await s.put(s.api('coordination.k8s.io/v1', 'leases/l'), lease('l', 'you'));
    await s.put(
      s.api('coordination.k8s.io/v1', 'leases/m'),
      lease('m', 'me', {
        renewTime: '2024-01-02T03:04:05.678901Z',
        acquireTime: '2024-01-02T03:04:05.000000Z',
        leaseTransitions: 0,
      }),
      { look: (b) => at(b, 'spec') },
    );
    await s.get(s.api('coordination.k8s.io/v1', 'leases/m'), {
      look: (b) => Object.keys(at(b, 'spec') as JsonObject).sort(),
    });
    await s.put(s.api('coordination.k8s.io/v1', 'leases/n'), lease('n', 'me', {}), { look: 'code' });
    await s.post(s.api('coordination.k8s.io/v1', 'leases'), lease('bad', 'x', { leaseDurationSeconds: 0 }));
    await s.post(s.api('coordination.k8s.io/v1', 'leases'), lease('bad', 'x', { leaseTransitions: -1 }));
    await s.post(s.api('coordination.k8s.io/v1', 'leases'), lease('bad', 'x', { renewTime: 'yesterday' }));
  },
});
