import type { Json, JsonObject } from '@bloomery/model';
import { area } from '../area.ts';
import { at, configMap, content, kindAndNames, secret, thing } from '../objects.ts';
import type { Answer, Session } from '../session.ts';
import { THING } from '../shared-kinds.ts';

const names = { look: kindAndNames };
const isStatus = (b: JsonObject): boolean => b['kind'] === 'Status';
const page = (b: JsonObject): Json =>
  isStatus(b)
    ? b
    : {
        names: at(kindAndNames(b), 'names'),
        more: at(b, 'metadata', 'continue') !== null,
        remaining: at(b, 'metadata', 'remainingItemCount'),
      };
const pageLook = { look: page };

async function five(s: Session): Promise<void> {
  const labels: JsonObject[] = [{ app: 'x', n: '1' }, { app: 'x', n: '2' }, { app: 'y' }, {}, { app: 'z', n: '1' }];
  for (const [i, name] of ['a', 'b', 'c', 'd', 'e'].entries()) {
    await s.must('POST', s.core('configmaps'), configMap(name, {}, { labels: { set: 'five', ...labels[i] } }));
    await s.must('POST', s.api(THING, 'things'), thing(name, { size: i }, { labels: { set: 'five', ...labels[i] } }));
  }
}

const query = (text: string): string => encodeURIComponent(text);

/** Lists: selectors, pages, versions. */
export const reads = area('reads', {
  'label selectors': async (s) => {
    await five(s);
    for (const selector of [
      'app=x',
      'app==x',
      'app!=x',
      'app',
      '!app',
      'app in (x,y)',
      'app notin (x,y)',
      'app=x,n=1',
      'n,app!=z',
      'app in ()',
      'app=',
      'none',
      'app in (x)',
      ' app = x , n = 2 ',
      'n>1',
      'n<2',
      'n>0',
    ])
      await s.get(`${s.core('configmaps')}?labelSelector=${query(`set=five,${selector}`)}`, {
        look: (b) => (isStatus(b) ? b : at(kindAndNames(b), 'names')),
      });
    await s.get(`${s.core('configmaps')}?labelSelector=${query('app in (x')}`);
    await s.get(`${s.core('configmaps')}?labelSelector=${query('a b')}`);
    await s.get(`${s.core('configmaps')}?labelSelector=${query('=x')}`);
    await s.get(`${s.core('configmaps')}?labelSelector=${query('app=bad value')}`);
    await s.get(`${s.core('configmaps')}?labelSelector=${query('app=-x')}`);
    await s.get(`${s.core('configmaps')}?labelSelector=${query('bad/key/x=1')}`);
    await s.get(`${s.core('configmaps')}?labelSelector=${query('app=x,')}`);
    await s.get(`${s.core('configmaps')}?labelSelector=${query('n>x')}`);
    await s.get(`${s.api(THING, 'things')}?labelSelector=${query('app in (x,y),n!=2')}`, names);
  },
  'field selectors of every kind': async (s) => {
    await five(s);
    for (const path of [s.core('configmaps'), s.api(THING, 'things')]) {
      for (const selector of [
        'metadata.name=a',
        'metadata.name==b',
        'metadata.name!=a',
        `metadata.namespace=${s.ns}`,
        'metadata.namespace=other',
        'metadata.name=a,metadata.name=b',
        'metadata.name=',
      ])
        await s.get(`${path}?labelSelector=set%3Dfive&fieldSelector=${query(selector)}`, names);
      for (const selector of [
        'spec.size=1',
        'metadata.labels=x',
        'metadata.uid=1',
        'nonsense',
        'metadata.name>a',
        'metadata.name',
      ])
        await s.get(`${path}?fieldSelector=${query(selector)}`);
    }
  },
  'field selectors of secrets, namespaces and events': async (s) => {
    await s.must('POST', s.core('secrets'), secret('a', {}, { type: 'x.y/z' }));
    await s.must('POST', s.core('secrets'), secret('b'));
    for (const selector of ['type=Opaque', 'type=x.y/z', 'type!=Opaque', 'data=x'])
      await s.get(`${s.core('secrets')}?fieldSelector=${query(selector)}`, {
        look: (b) => (isStatus(b) ? b : kindAndNames(b)),
      });
    await s.get(`/api/v1/namespaces?fieldSelector=${query(`status.phase=Active,metadata.name=${s.ns}`)}`, names);
    await s.get(`/api/v1/namespaces?fieldSelector=${query(`status.phase=Terminating,metadata.name=${s.ns}`)}`, names);
    await s.get(`/api/v1/namespaces?fieldSelector=${query('spec.x=1')}`);
    const event = (name: string, kind: string, type: string) => ({
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name },
      involvedObject: {
        kind,
        name: 'o',
        namespace: s.ns,
        uid: 'u1',
        apiVersion: 'v1',
        resourceVersion: '1',
        fieldPath: 'spec.x',
      },
      reason: `R${kind}`,
      type,
      source: { component: 'c' },
      reportingComponent: 'rc',
    });
    await s.must('POST', s.core('events'), event('e1', 'Pod', 'Normal'));
    await s.must('POST', s.core('events'), event('e2', 'Node', 'Warning'));
    for (const selector of [
      'involvedObject.kind=Pod',
      'involvedObject.name=o',
      `involvedObject.namespace=${s.ns}`,
      'involvedObject.uid=u1',
      'involvedObject.apiVersion=v1',
      'involvedObject.resourceVersion=1',
      'involvedObject.fieldPath=spec.x',
      'reason=RNode',
      'type!=Normal',
      'source=c',
      'reportingComponent=rc',
      'message=x',
    ])
      await s.get(`${s.core('events')}?fieldSelector=${query(selector)}`, {
        look: (b) => (isStatus(b) ? b : kindAndNames(b)),
      });
    for (const selector of [
      'regarding.kind=Pod',
      'regarding.name=o',
      'reason=RNode',
      'type=Normal',
      'reportingController=rc',
      'involvedObject.kind=Pod',
    ])
      await s.get(`${s.api('events.k8s.io/v1', 'events')}?fieldSelector=${query(selector)}`, {
        look: (b) => (isStatus(b) ? b : kindAndNames(b)),
      });
  },
  'a list in pages': async (s) => {
    await five(s);
    for (const path of [s.core('configmaps'), s.api(THING, 'things')]) {
      let token: Json = '';
      for (let i = 0; i < 3; i++) {
        const answer: Answer = await s.get(
          `${path}?labelSelector=set&limit=2${token === '' ? '' : `&continue=${query(String(token))}`}`,
          { look: page },
        );
        token = at(answer.body, 'metadata', 'continue') ?? '';
      }
      await s.get(`${path}?limit=0&labelSelector=set`, pageLook);
      await s.get(`${path}?limit=100&labelSelector=set`, pageLook);
      await s.get(`${path}?limit=-1&labelSelector=set`, pageLook);
    }
    await s.get(`${s.api(THING, 'things')}?limit=2`, pageLook);
  },
  'pages show one moment': async (s) => {
    await five(s);
    const path = s.api(THING, 'things');
    const first = await s.get(`${path}?limit=2`, pageLook);
    await s.must('DELETE', `${path}/d`);
    await s.must('POST', path, thing('cc'));
    await s.must('PATCH', `${path}/e`, { spec: { size: 50 } }, { type: 'application/merge-patch+json' });
    const token = query(String(at(first.body, 'metadata', 'continue')));
    const rest = await s.get(`${path}?limit=10&continue=${token}`, {
      look: (b) => [page(b), content({ items: (b['items'] as JsonObject[]).map((i) => at(i, 'spec', 'size')) })],
    });
    s.note(
      'one version',
      at(first.body, 'metadata', 'resourceVersion') === at(rest.body, 'metadata', 'resourceVersion'),
    );
    await s.get(`${path}?limit=10&continue=${token}&resourceVersion=1`, pageLook);
    await s.get(`${path}?limit=10&continue=${token}&resourceVersion=0`, pageLook);
    await s.get(`${path}?limit=10&continue=${token}&resourceVersionMatch=Exact`, { look: 'gist' });
  },
  'a broken continue token is refused': async (s) => {
    for (const token of [
      'garbage',
      '',
      'e30',
      Buffer.from('{"v":"meta.k8s.io/v9","rv":5,"start":"a"}').toString('base64url'),
    ])
      await s.get(`${s.core('configmaps')}?limit=1&continue=${token}`, {
        look: (b) => (isStatus(b) ? { code: b['code'] ?? null, reason: b['reason'] ?? null } : 'list'),
      });
  },
  'a list at an exact version shows the past': async (s) => {
    const path = s.api(THING, 'things');
    await s.must('POST', path, thing('a'));
    const b = await s.must('POST', path, thing('b'));
    const version = at(b, 'metadata', 'resourceVersion');
    await s.must('DELETE', `${path}/a`);
    await s.must('PATCH', `${path}/b`, { spec: { size: 9 } }, { type: 'application/merge-patch+json' });
    const sizes = {
      look: (l: JsonObject): Json =>
        isStatus(l) ? l : (l['items'] as JsonObject[]).map((i) => [at(i, 'metadata', 'name'), at(i, 'spec', 'size')]),
    };
    await s.get(`${path}?resourceVersion=${version}&resourceVersionMatch=Exact`, sizes);
    await s.get(`${path}?resourceVersion=${version}&resourceVersionMatch=NotOlderThan`, sizes);
    await s.get(`${path}?resourceVersion=${version}`, sizes);
    await s.get(`${path}?resourceVersion=${version}&limit=1`, {
      look: (l) => (isStatus(l) ? l : at(kindAndNames(l), 'names')),
    });
    await s.get(`${path}?resourceVersion=${version}&resourceVersionMatch=Exact&limit=1`, {
      look: (l) => [sizes.look(l), page(l)],
    });
    await s.get(`${path}?resourceVersion=0`, sizes);
    await s.get(`${path}/b?resourceVersion=${version}`, { look: (o) => at(o, 'spec', 'size') });
    await s.get(`${path}/b?resourceVersion=0`, { look: (o) => at(o, 'spec', 'size') });
  },
  'what versions of a list are refused': async (s) => {
    const path = s.core('configmaps');
    for (const text of [
      'resourceVersion=abc',
      'resourceVersion=-1',
      'resourceVersionMatch=Exact',
      'resourceVersionMatch=NotOlderThan',
      'resourceVersionMatch=Other&resourceVersion=1',
      'resourceVersionMatch=Exact&resourceVersion=0',
      'resourceVersionMatch=Exact&resourceVersion=0&limit=1',
      'sendInitialEvents=true',
      'sendInitialEvents=true&resourceVersionMatch=NotOlderThan',
      'watch=1&resourceVersionMatch=Exact&resourceVersion=5',
      'watch=1&sendInitialEvents=true',
      'watch=1&sendInitialEvents=true&resourceVersionMatch=Exact',
      'watch=1&resourceVersionMatch=NotOlderThan',
    ])
      await s.get(`${path}?${text}`);
  },
  'a version of the future is waited for, then refused': async (s) => {
    const later = { look: (b: JsonObject): Json => ({ ...b, message: String(b['message']).replaceAll(/\d+/g, 'N') }) };
    await Promise.all([s.get(`${s.core('configmaps')}?resourceVersion=9000000000000`, later)]);
    await s.get(`${s.api(THING, 'things')}?resourceVersion=9000000000000&resourceVersionMatch=NotOlderThan`, later);
  },
  'lists over all namespaces and in none': async (s) => {
    await s.must('POST', s.core('configmaps'), configMap('mine', {}, { labels: { owner: s.ns } }));
    await s.must('POST', s.api(THING, 'things'), thing('mine', { size: 1 }, { labels: { owner: s.ns } }));
    await s.get(`/api/v1/configmaps?labelSelector=owner%3D${s.ns}`);
    await s.get(`/apis/${THING}/things?labelSelector=owner%3D${s.ns}`);
    await s.get(`/api/v1/configmaps?fieldSelector=metadata.namespace%3D${s.ns}%2Cmetadata.name%3Dmine`, names);
    await s.get(s.core('secrets'));
    await s.get(s.core('pods'));
    await s.get(`/api/v1/watch/namespaces/${s.ns}/configmaps?timeoutSeconds=1`, { look: 'code' });
  },
});
