import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, it } from 'node:test';
import type { Command } from 'commander';
import { wholeCli } from './testing/whole-cli.ts';

const ROOT = join(import.meta.dirname, '../../..');
const PAGES = ['*.md', 'docs/**/*.md', 'examples/*.md'].flatMap((pattern) => globSync(pattern, { cwd: ROOT })).sort();
const read = (page: string): string => readFileSync(join(ROOT, page), 'utf8');
const withoutCode = (text: string): string => text.replaceAll(/```[\s\S]*?```/g, '').replaceAll(/`[^`\n]*`/g, '');

/** As GitHub makes it. */
function anchorOf(heading: string): string {
  const text = heading.replaceAll(/[`*]/g, '').replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1');
  return text
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}

function anchorsOf(page: string): ReadonlySet<string> {
  const headings =
    read(page)
      .replaceAll(/```[\s\S]*?```/g, '')
      .match(/^#{1,6} .+$/gm) ?? [];
  return new Set(headings.map((heading) => anchorOf(heading.replace(/^#+ /, ''))));
}

describe('links in the documentation', () => {
  for (const page of PAGES) {
    it(`of ${page} lead to something that exists`, () => {
      for (const [, target = ''] of withoutCode(read(page)).matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^[a-z]+:/.test(target)) continue;
        const [path = '', anchor] = target.split('#');
        const file = path === '' ? page : relative(ROOT, join(ROOT, dirname(page), path));
        assert.ok(existsSync(join(ROOT, file)), `${page} links to ${target}`);
        if (anchor === undefined || !file.endsWith('.md')) continue;
        assert.ok(anchorsOf(file).has(anchor), `${page} links to ${target}: no such heading`);
      }
    });
  }
  it('reach every page of docs/ from its index', () => {
    const linked = new Set(
      [...read('docs/README.md').matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => `docs/${target}`),
    );
    const lost = PAGES.filter((page) => /^docs\/.+\//.test(page) && !linked.has(page));
    assert.deepEqual(lost, []);
  });
});

/** Commands of code blocks: what follows a prompt, or each line of a block of shell. */
function commandsIn(text: string): readonly string[] {
  return [...text.matchAll(/```(\w*)\n([\s\S]*?)```/g)].flatMap(([, language = '', body = '']) => {
    if (language === 'text') return body.split('\n').flatMap((line) => (line.startsWith('$ ') ? [line.slice(2)] : []));
    return language === 'sh' ? body.replaceAll('\\\n', ' ').split('\n') : [];
  });
}

/** The arguments after `bloomery`; undefined for other programs. Comments and what follows a pipe are left out. */
function bloomeryArguments(line: string): readonly string[] | undefined {
  const words = (line.split(/\s+#|\s[|>]/)[0] ?? '').match(/'[^']*'|"[^"]*"|\S+/g) ?? [];
  const at = words.findIndex((word) => word === 'bloomery' || word === './bloomery');
  const isRun = at >= 0 && words.slice(0, at).every((word) => word === 'sudo' || word.includes('='));
  return isRun ? words.slice(at + 1).map((word) => word.replaceAll(/^(['"])(.*)\1$/g, '$2')) : undefined;
}

/** The same commands and flags, doing nothing. */
function inert(command: Command): Command {
  command
    .action(() => {})
    .exitOverride()
    .configureOutput({ writeOut: () => {}, writeErr: () => {} });
  for (const child of command.commands) inert(child);
  return command;
}

describe('commands in the documentation', () => {
  const shown = PAGES.flatMap((page) =>
    commandsIn(read(page)).flatMap((line) => {
      const args = bloomeryArguments(line);
      return args === undefined ? [] : [{ page, args }];
    }),
  );
  it('are there', () => {
    assert.ok(shown.length > 20, `${shown.length} commands`);
  });
  for (const { page, args } of shown) {
    it(`bloomery ${args.join(' ')} (${page}) is one that the program takes`, async () => {
      const program = inert(wholeCli());
      await assert.doesNotReject(
        program.parseAsync(args, { from: 'user' }).catch((error: unknown) => {
          const isHelp = error instanceof Error && 'exitCode' in error && error.exitCode === 0;
          if (!isHelp) throw error;
        }),
      );
    });
  }
  it('of make are targets', () => {
    const targets = new Set([...read('Makefile').matchAll(/^([a-z0-9-]+):/gm)].map(([, name = '']) => name));
    for (const page of PAGES) {
      for (const line of commandsIn(read(page))) {
        const target = /^(?:sudo )?make ([a-z0-9-]+)/.exec(line)?.[1];
        assert.ok(target === undefined || targets.has(target), `${page}: ${line}`);
      }
    }
  });
});
