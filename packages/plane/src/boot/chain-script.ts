import { type BoundAddress, hostPort } from '@bloomery/ports';

/** An iPXE setting, expanded when its line runs. */
const setting = (name: string): string => `\${${name}}`;

/** What a machine says about itself. `netX` is the card opened last; texts are URI-encoded, as a blank would end the argument. */
const IDENTITY = [
  `uuid=${setting('uuid')}`,
  `mac=${setting('netX/mac:hexhyp')}`,
  `domain=${setting('domain:uristring')}`,
  `hostname=${setting('hostname:uristring')}`,
  `serial=${setting('serial:uristring')}`,
  `arch=${setting('buildarch')}`,
].join('&');

/**
 * The script that every machine starts with (`/boot.ipxe`, `autoexec.ipxe`, embedded in loaders): find a network card with a
 * lease and chain to `/ipxe` with the machine's identity. A ROM that comes with a configured card tries that one first.
 * The chained script ends (`exit`) only to boot from disk: BIOS goes on to the disk after any exit, UEFI only after one that
 * failed (OVMF opens its set-up screen after a success: measured).
 * Old ROMs without `iflinkwait` go on with `dhcp`. Shorter than 1000 bytes, so that it fits into a loader's placeholder.
 *
 * @param endpoint what machines are told: address or name, and port.
 */
export function renderChainScript(endpoint: BoundAddress): string {
  const ask = `chain http://${hostPort(endpoint)}/ipxe?${IDENTITY} && goto disk ||`;
  return `#!ipxe
prompt --key 0x02 --timeout 2000 Bloomery: Ctrl-B for a shell && shell ||
ifstat ||
isset \${netX/ip} || goto start
${ask}
:start
set tries:int32 0
:again
inc tries
set x:int32 0
:card
isset \${net\${x}/mac} || goto round
ifclose ||
ifopen net\${x} || goto next
iflinkwait --timeout 5000 net\${x} ||
dhcp net\${x} || goto next
route ||
${ask}
:next
inc x
goto card
:round
iseq \${tries} 10 || goto again
echo Bloomery: no answer from ${hostPort(endpoint)}
sleep 5
reboot
:disk
iseq \${platform} efi && exit 1 ||
exit
`;
}
