import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { askTalosMachinery, talosMachineryMissing } from '../testing/talos-machinery.ts';
import { type ExpressionSubject, expressionProblem } from './expression.ts';

const EXPRESSIONS: Readonly<Record<Exclude<ExpressionSubject, 'memory'>, readonly string[]>> = {
  disk: [
    'disk.size > 10u * GB && !system_disk',
    'disk.size > 10GB',
    'disk.foo == 1',
    'disk.size',
    'size > 1u',
    '(',
    'glob("/dev/sd*", disk.dev_path)',
    'disk.model.startsWith("A") || disk.serial in ["a", "b"]',
    'disk.symlinks.exists(s, s == "a")',
    'disk.transport in ["nvme", 5]',
    'disk.model + "a" == "b" ? true : has(disk.wwid)',
    'int(disk.size) > 5',
    'disk.secondary_disks.size() == 0',
  ],
  volume: ['volume.partition_label == "A" && disk.transport == "usb"', 'system_disk', 'glob("a", volume.name)'],
  link: ['mac(link.permanent_addr) == "00:11"', 'link.driver == "virtio"', 'link.hardware_addr == "x"', 'link.x'],
};

const document = (subject: string, expression: string): string => {
  const match = JSON.stringify(expression);
  const head = (kind: string): string => `apiVersion: v1alpha1\nkind: ${kind}\nname: EPHEMERAL\n`;
  if (subject === 'disk') return `${head('VolumeConfig')}provisioning: {diskSelector: {match: ${match}}}\n`;
  if (subject === 'link') return `${head('LinkAliasConfig')}selector: {match: ${match}}\n`;
  return `${head('ExistingVolumeConfig')}discovery: {volumeSelector: {match: ${match}}}\n`;
};

describe('an expression of a document', () => {
  it('is taken or refused as by the real Talos library', { skip: talosMachineryMissing() }, async () => {
    const cases = (['disk', 'volume', 'link'] as const).flatMap((subject) =>
      EXPRESSIONS[subject].map((expression) => ({ subject, expression })),
    );
    const answers = await askTalosMachinery(
      cases.map(({ subject, expression }) => ({ config: document(subject, expression), patches: [], mode: 'metal' })),
    );
    for (const [i, { subject, expression }] of cases.entries()) {
      const ours = expressionProblem(subject, expression);
      const theirs = answers[i]?.errors.length !== 0;
      assert.equal(ours !== undefined, theirs, `${expression}: ${ours} beside ${answers[i]?.errors.join()}`);
    }
  });

  it('is answered, whatever its text', () => {
    const pieces = fc.constantFrom(
      'disk',
      '.',
      'size',
      '(',
      ')',
      '[',
      ']',
      '{',
      '}',
      '"',
      "'",
      '?',
      ':',
      '-',
      '!',
      '1',
      ' ',
      '\\',
      'in',
      '&&',
    );
    const texts = fc.oneof(
      fc.array(pieces, { maxLength: 60 }).map((p) => p.join('')),
      fc.string({ unit: 'binary' }),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const problem = expressionProblem('disk', text);
        assert.ok(problem === undefined || problem !== '');
      }),
      { numRuns: 1_000 },
    );
  });

  for (const [name, text] of [
    ['deep', '('.repeat(10_000)],
    ['long', `disk.model == "${'x'.repeat(20_000)}"`],
    ['full of signs', '-'.repeat(10_000)],
  ] as const) {
    it(`that is ${name} is refused`, () => assert.notEqual(expressionProblem('disk', text), undefined));
  }
});
