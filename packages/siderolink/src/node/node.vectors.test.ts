import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { isBloomeryError } from '@bloomery/ports';
import { kernelLogLine } from '../kernel-log/kernel-log-line.ts';
import { parseKernelLogRecord } from '../kernel-log/kernel-log-record.ts';
import { readLinkDocuments, redactSideroLinkConfig } from './link-document.ts';

const root = process.env['VECTORS'] ?? join(import.meta.dirname, '../../../../test/vectors');

function vectors<C>(name: string, title: (c: C) => string, run: (c: C) => void): void {
  const file = join(root, 'siderolink', `${name}.json`);
  const skip = existsSync(file) ? false : `${file} does not exist`;
  describe(`vectors: siderolink/${name}`, { skip }, () => {
    const cases: readonly C[] = skip === false ? JSON.parse(readFileSync(file, 'utf8')).cases : [];
    for (const [i, c] of cases.entries()) it(`case ${i}: ${title(c)}`, () => run(c));
  });
}

interface KmsgCase {
  readonly bootTime: string;
  readonly rawHex: string;
  readonly line?: string;
  readonly error?: boolean | string;
}

/** Nanoseconds from the epoch of an RFC 3339 text with up to nine digits of fraction. */
function nanoseconds(text: string): bigint {
  const [, whole = '', fraction = ''] = /^(.*?)(?:\.(\d+))?Z$/.exec(text) ?? [];
  return BigInt(Date.parse(`${whole}Z`)) * 1_000_000n + BigInt(fraction.padEnd(9, '0'));
}

vectors<KmsgCase>(
  'kmsg',
  (c) => c.line?.trim() ?? 'no record',
  (c) => {
    const record = parseKernelLogRecord(Buffer.from(c.rawHex, 'hex'));
    const line = record === undefined ? undefined : kernelLogLine(record, nanoseconds(c.bootTime));
    // Upstream panics at facilities without a name: there the line is ours.
    if (c.line !== undefined) assert.equal(line, c.line);
    else if (c.error !== undefined && c.error !== false) assert.equal(line, undefined);
  },
);

interface ConfigCase {
  readonly yaml: string;
  readonly valid: boolean;
  readonly error?: string;
  readonly apiUrl?: string;
  readonly uniqueToken?: string;
  readonly redactedApiUrl?: string;
  readonly redactedUniqueToken?: string;
}

vectors<ConfigCase>(
  'sidelinkconfig',
  (c) => c.error ?? c.apiUrl ?? '',
  (c) => {
    if (!c.valid) {
      assert.throws(
        () => readLinkDocuments(c.yaml),
        (error) => isBloomeryError(error) && error.message.includes(c.error ?? ''),
      );
      return;
    }
    const { siderolink } = readLinkDocuments(c.yaml);
    assert.ok(siderolink);
    const redacted = redactSideroLinkConfig(siderolink);
    assert.deepEqual(
      [siderolink.apiUrl, siderolink.uniqueToken, redacted.apiUrl, redacted.uniqueToken],
      [c.apiUrl, c.uniqueToken, c.redactedApiUrl, c.redactedUniqueToken],
    );
  },
);
