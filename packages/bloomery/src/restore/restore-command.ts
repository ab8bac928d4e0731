import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { silentLog, systemClock } from '@bloomery/ports';
import { Command } from 'commander';
import { defaultDataDir } from '../serve/data-dir.ts';
import type { RestoreResult } from './restore.ts';

/** What the command needs from outside. */
export interface RestoreCommandDeps {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly print: (line: string) => void;
}

/** `bloomery restore FILE`: make a data directory from a backup, while no plane uses it. */
export function restoreCommand(deps: RestoreCommandDeps): Command {
  return new Command('restore')
    .description('Make the data directory from a backup of `bloomery backup`; no plane may be using it')
    .argument('<file>', 'the backup')
    .option('--data <dir>', 'data directory (default: that of `bloomery serve`)')
    .option('--force', 'also into a directory that is not empty; what is replaced is kept in a folder of it')
    .option('--json', 'say what was restored as JSON')
    .action(async (file: string, flags: { data?: string; force?: boolean; json?: boolean }) => {
      const { restore } = await import('./restore.ts');
      const dir = resolve(flags.data ?? defaultDataDir(process.getuid?.() ?? 1, deps.env));
      const result = await restore({
        file: resolve(file),
        dir,
        force: flags.force === true,
        clock: systemClock,
        log: silentLog,
        random: (length) => randomBytes(length),
      });
      if (flags.json === true) deps.print(JSON.stringify({ dir, ...summary(result) }));
      else for (const line of report(result, dir)) deps.print(line);
    });
}

function summary({ head, store, held, aside }: RestoreResult) {
  const { revision: backupRevision, objects, files, time, version } = head;
  return { backupRevision, revision: store.revision, objects, files, time, version, held, aside: aside ?? null };
}

/** What an operator must know after a restore. */
export function report({ head, store, held, aside }: RestoreResult, dir: string): readonly string[] {
  return [
    `${dir}: ${store.objects} objects and ${head.files} files as of ${head.time}, revision ${head.revision}; it goes on at revision ${store.revision}`,
    ...(aside === undefined ? [] : [`What was there before is in ${aside}`]),
    'Everything that was changed after the backup is gone: objects made since are missing, deleted ones are back.',
    ...(held.length === 0
      ? []
      : [
          `${held.length} Servers were free in the backup and may have been given away since. They are Parked: nothing wipes or allocates them until you confirm.`,
          `  ${held.slice(0, 10).join(' ')}${held.length > 10 ? ' …' : ''}`,
          '  look at each machine, then, if it may be wiped: kubectl annotate server NAME bloomery.dev/bound-to-',
        ]),
    `next: bloomery serve --data ${dir}`,
  ];
}
