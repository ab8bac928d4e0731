import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type LinkDocuments, readLinkArguments, readLinkDocuments } from '@bloomery/siderolink';
import { type JoiningMachine, type LinkSettings, linkSettings, sameDestinations } from './link-settings.ts';

const identity: JoiningMachine = { uuid: 'u-1', talosVersion: 'v1.13.0-stand-in' };
const given = readLinkArguments(
  'siderolink.api=10.0.0.1:8081 talos.events.sink=[fdae::1]:4002 talos.logging.kernel=tcp://[fdae::1]:4001',
);
const documents = readLinkDocuments(
  [
    'apiVersion: v1alpha1\nkind: SideroLinkConfig\napiUrl: grpc://10.0.0.1:8081?grpc_tunnel=true\nuniqueToken: given\n',
    'apiVersion: v1alpha1\nkind: EventSinkConfig\nendpoint: "[fdae::9]:4002"\n',
    'apiVersion: v1alpha1\nkind: KmsgLogConfig\nname: a\nurl: tcp://[fdae::1]:4001\n',
    'apiVersion: v1alpha1\nkind: KmsgLogConfig\nname: b\nurl: udp://10.0.0.9:514\n',
  ].join('---\n'),
);
const bothLogs = ['tcp://[fdae::1]:4001', 'udp://10.0.0.9:514'];
const ofDocument = { ...identity, api: 'grpc://10.0.0.1:8081?grpc_tunnel=true', uniqueToken: 'given' };

describe('the settings of the link', () => {
  const cases: [name: string, documents: LinkDocuments | undefined, who: JoiningMachine, want: LinkSettings][] = [
    [
      'are the kernel arguments before there is a configuration',
      undefined,
      identity,
      {
        inputs: { ...identity, api: '10.0.0.1:8081' },
        kernelLogDestinations: ['tcp://[fdae::1]:4001'],
        eventSink: '[fdae::1]:4002',
      },
    ],
    [
      'are those of the documents, and the log goes to all places once',
      documents,
      identity,
      { inputs: ofDocument, kernelLogDestinations: bothLogs, eventSink: '[fdae::9]:4002' },
    ],
    [
      'take the token that the machine remembers before the one of the document',
      documents,
      { ...identity, uniqueToken: 'kept' },
      { inputs: { ...ofDocument, uniqueToken: 'kept' }, kernelLogDestinations: bothLogs, eventSink: '[fdae::9]:4002' },
    ],
  ];
  for (const [name, read, who, want] of cases) it(name, () => assert.deepEqual(linkSettings(given, read, who), want));

  it('name nobody to join where neither source does', () => {
    assert.deepEqual(linkSettings(readLinkArguments(''), readLinkDocuments(''), identity), {
      kernelLogDestinations: [],
    });
  });
  it('have the same destinations when only the API is another', () => {
    const settings = linkSettings(given, undefined, identity);
    assert.equal(sameDestinations(settings, { ...settings, inputs: ofDocument }), true);
    assert.equal(sameDestinations(settings, linkSettings(given, documents, identity)), false);
  });
});
