import type { Command } from 'commander';
import type { CliDeps } from './cli-deps.ts';
import { formatted } from './command-options.ts';
import { setOutcome } from './command-outcome.ts';
import type { DnsQueryOptions } from './commands/dns-query.ts';

/** Add `bloomery dns` with its verbs. */
export function addDnsCommands(program: Command, deps: CliDeps): void {
  const dns = program.command('dns').description('Ask the host DNS of `bloomery node`');
  formatted(dns.command('query'))
    .description('Look up a name, and say who answered; exit code 3 when there is no such name or record')
    .argument('<name>', 'name to look up; search domains are not tried')
    .option('-t, --type <type>', 'of the records: A, AAAA, CNAME, MX, NS, PTR, SOA, SRV, TXT, … or TYPE123', 'A')
    .option('--server <address>', 'name server to ask, with a port if it is not 53', '127.0.0.53')
    .option('--tcp', 'ask over TCP; otherwise only when the answer is too long for UDP')
    .option('--trace', 'which cache or upstream answered, and which upstreams were asked for how long')
    .action(async (name: string, options: DnsQueryOptions) => {
      const { dnsQuery } = await import('./commands/dns-query.ts');
      setOutcome(program, await dnsQuery(deps, name, options));
    });
}
