import { usageError } from '../exit-code.ts';

const NAMES = 'timeout 0.2 bloomery get "$kind" -o name 2>/dev/null | sed "s,.*/,,"';

const BASH = (verbs: string, kinds: string): string => `_bloomery() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" verb="\${COMP_WORDS[1]}" kind
  if [ "$COMP_CWORD" -eq 1 ]; then COMPREPLY=($(compgen -W "${verbs}" -- "$cur")); return; fi
  case "$verb" in
    get|describe|explain|timeline)
      if [ "$COMP_CWORD" -eq 2 ]; then COMPREPLY=($(compgen -W "${kinds}" -- "$cur")); return; fi
      kind="\${COMP_WORDS[2]}" ;;
    tree) kind=clusters ;;
    accept|cordon|uncordon) kind=servers ;;
    power)
      if [ "$COMP_CWORD" -eq 2 ]; then COMPREPLY=($(compgen -W "on off cycle status" -- "$cur")); return; fi
      kind=servers ;;
    *) return ;;
  esac
  COMPREPLY=($(compgen -W "$(${NAMES})" -- "$cur"))
}
complete -F _bloomery bloomery
`;

const ZSH = (verbs: string, kinds: string): string => `autoload -U +X bashcompinit && bashcompinit
${BASH(verbs, kinds)}`;

const FISH = (verbs: string, kinds: string): string => `complete -c bloomery -f
complete -c bloomery -n __fish_use_subcommand -a "${verbs}"
complete -c bloomery -n "__fish_seen_subcommand_from get describe explain timeline" -a "${kinds}"
complete -c bloomery -n "__fish_seen_subcommand_from accept cordon uncordon power" -a "(timeout 0.2 bloomery get servers -o name 2>/dev/null | string replace -r '.*/' '')"
`;

const SHELLS: Readonly<Record<string, (verbs: string, kinds: string) => string>> = { bash: BASH, zsh: ZSH, fish: FISH };

/**
 * The completion script for a shell. Names of live objects are asked for with a limit of 200 ms, silently.
 *
 * @throws BloomeryError BLM_CLI_USAGE for an unknown shell.
 */
export function completionScript(shell: string, verbs: readonly string[], kinds: readonly string[]): string {
  const script = Object.hasOwn(SHELLS, shell) ? SHELLS[shell] : undefined;
  if (script === undefined) throw usageError(`completion for ${shell} is not one of ${Object.keys(SHELLS).join(', ')}`);
  return script(verbs.join(' '), kinds.join(' '));
}
