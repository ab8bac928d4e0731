import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { kernelLineText, readKernelLine } from './kernel-line.ts';

const SEED =
  '{"clock":8576583,"msg":"[talos] phase mountState (6/13): 1 tasks(s)\\n","priority":"warning","server_uuid":"u","talos-level":"warn","talos-time":"2022-02-11T12:42:02.74807823Z"}';

const text = (line: string, machine?: string): string | undefined => {
  const read = readKernelLine(line);
  return read === undefined ? undefined : kernelLineText(read, machine);
};

const cases: [name: string, line: string, wanted: string | undefined][] = [
  ['time, level and message', SEED, '2022-02-11T12:42:02.748Z  warn   [talos] phase mountState (6/13): 1 tasks(s)\n'],
  [
    'a time without fraction',
    '{"msg":"x","talos-time":"2022-02-11T12:42:02Z"}',
    '2022-02-11T12:42:02.000Z  -      x\n',
  ],
  ['a priority where there is no level', '{"msg":"x","priority":"emerg"}', '-  emerg  x\n'],
  ['several lines as one', '{"msg":"a\\n KEY=value\\n"}', '-  -      a\\n KEY=value\n'],
  [
    'no way to the terminal',
    '{"msg":"\\u001b[2J\\u0007\\u009b\\u202egnol","talos-level":"\\r","talos-time":"\\u0008"}',
    '\\x08  \\x0d   \\x1b[2J\\x07\\x9b\\u202egnol\n',
  ],
  ['tabs as blanks', '{"msg":"a\\tb"}', '-  -      a b\n'],
  ['letters of any language', '{"msg":"größer 漢字"}', '-  -      größer 漢字\n'],
  ['the whole object where there is no message', '{"a":1}', '-  -      {"a":1}\n'],
  [
    'fields of other types',
    '{"msg":1,"talos-time":2,"talos-level":null,"server_uuid":[]}',
    '-  -      {"msg":1,"talos-time":2,"talos-level":null,"server_uuid":[]}\n',
  ],
  ['nothing for what is no object', 'null', undefined],
  ['nothing for what is no JSON', '{"a":', undefined],
];

describe('a kernel line for people', () => {
  for (const [name, line, wanted] of cases) it(`shows ${name}`, () => assert.equal(text(line), wanted));

  it('begins with its machine where there are several', () =>
    assert.equal(text('{"msg":"x"}', 'rack1\u001b'), 'rack1\\x1b  -  -      x\n'));
});
