import type { JsonObject } from '@bloomery/model';
import { area } from '../area.ts';
import { at, configMap, thing } from '../objects.ts';
import type { Session } from '../session.ts';
import { THING } from '../shared-kinds.ts';

const T = (s: Session): string => s.api(THING, 'things/t');
const scale = (s: Session, replicas: unknown, more: JsonObject = {}): JsonObject => ({
  apiVersion: 'autoscaling/v1',
  kind: 'Scale',
  metadata: { name: 't', namespace: s.ns, ...more },
  spec: { replicas } as JsonObject,
});

/** The subresources status and scale. */
export const subresources = area('subresources', {
  'status is dropped on create and kept by updates of the rest': async (s) => {
    await s.post(s.api(THING, 'things'), { ...thing('t'), status: { phase: 'ignored' } });
    await s.patch(`${T(s)}/status`, { status: { phase: 'set' } });
    const now = await s.get(T(s));
    await s.put(T(s), { ...now.body, spec: { size: 2 }, status: { phase: 'ignored' } });
    await s.put(T(s), {
      ...now.body,
      metadata: { name: 't', resourceVersion: at((await s.quiet('GET', T(s))).body, 'metadata', 'resourceVersion') },
      spec: { size: 3 },
      status: null,
    });
  },
  'an update of status changes nothing else': async (s) => {
    const made = await s.must('POST', s.api(THING, 'things'), thing('t', { size: 1 }, { labels: { a: 'b' } }));
    await s.put(`${T(s)}/status`, {
      ...made,
      metadata: {
        ...(made['metadata'] as JsonObject),
        labels: { c: 'd' },
        annotations: { e: 'f' },
        finalizers: ['a.b/c'],
      },
      spec: { size: 9 },
      status: { phase: 'x' },
    });
    await s.patch(`${T(s)}/status`, { metadata: { labels: { c: 'd' } }, spec: { size: 8 }, status: { n: 1 } });
    await s.patch(
      `${T(s)}/status`,
      [
        { op: 'replace', path: '/status', value: { phase: 'json' } },
        { op: 'replace', path: '/spec/size', value: 7 },
      ],
      { type: 'application/json-patch+json' },
    );
    await s.patch(`${T(s)}/status`, { spec: { size: 500 } });
    await s.get(`${T(s)}/status`);
  },
  'an update of status needs a fresh version': async (s) => {
    const made = await s.must('POST', s.api(THING, 'things'), thing('t'));
    await s.must('PATCH', T(s), { spec: { size: 2 } }, { type: 'application/merge-patch+json' });
    await s.put(`${T(s)}/status`, { ...made, status: { phase: 'x' } });
    await s.put(`${T(s)}/status`, { ...thing('t'), status: { phase: 'x' } });
    await s.put(s.api(THING, 'things/none/status'), { ...thing('none'), status: {} });
    await s.get(s.api(THING, 'things/none/status'));
  },
  'a kind without the subresource has no status path': async (s) => {
    await s.must('POST', s.core('configmaps'), configMap('a'));
    await s.get(s.core('configmaps/a/status'));
    const beta = s.api('vec.bloomery.test/v1beta1', 'things');
    await s.must('POST', s.api(THING, 'things'), thing('t'));
    await s.get(`${beta}/t/status`);
    await s.get(`${beta}/t/scale`);
  },
  'scale shows and sets replicas': async (s) => {
    await s.must('POST', s.api(THING, 'things'), thing('none', { size: 1 }));
    await s.get(s.api(THING, 'things/none/scale'));
    await s.must('POST', s.api(THING, 'things'), thing('t', { size: 1, replicas: 1 }));
    await s.get(`${T(s)}/scale`);
    await s.put(`${T(s)}/scale`, scale(s, 4));
    await s.get(`${T(s)}/scale`);
    await s.patch(`${T(s)}/scale`, { spec: { replicas: 5 } });
    await s.patch(`${T(s)}/scale`, [{ op: 'replace', path: '/spec/replicas', value: 6 }], {
      type: 'application/json-patch+json',
    });
    await s.must('PATCH', `${T(s)}/status`, { status: { n: 3 } }, { type: 'application/merge-patch+json' });
    await s.get(`${T(s)}/scale`);
    await s.get(T(s));
  },
  'replicas that nobody owns stay so when they are scaled': async (s) => {
    await s.must('POST', s.api(THING, 'things'), thing('t', { size: 1 }));
    await s.patch(`${T(s)}/scale`, { spec: { replicas: 3 } });
    await s.get(T(s));
  },
  'what scale refuses': async (s) => {
    await s.must('POST', s.api(THING, 'things'), thing('t', { size: 1, replicas: 1 }));
    await s.put(`${T(s)}/scale`, scale(s, -1));
    await s.put(`${T(s)}/scale`, scale(s, 101));
    await s.put(`${T(s)}/scale`, scale(s, 'x'), { look: 'gist' });
    await s.put(`${T(s)}/scale`, scale(s, 2, { resourceVersion: '1' }));
    await s.put(`${T(s)}/scale`, scale(s, 2, { name: 'other' }));
    await s.put(`${T(s)}/scale`, { ...scale(s, 2), kind: 'Thing' });
    await s.put(`${T(s)}/scale`, { ...scale(s, 2), apiVersion: 'v1' });
    await s.patch(`${T(s)}/scale`, { spec: { replicas: -5 } });
    await s.patch(`${T(s)}/scale`, { spec: { replicas: 2 } }, { type: 'application/strategic-merge-patch+json' });
    await s.get(s.api(THING, 'things/none/scale'));
    await s.put(s.api(THING, 'things/none/scale'), { ...scale(s, 2), metadata: { name: 'none', namespace: s.ns } });
    await s.delete(`${T(s)}/scale`);
  },
});
