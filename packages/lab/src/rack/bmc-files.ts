import { FACTORY_BMC_USER, type MachineSpec } from './machine-spec.ts';
import { type MachinePlace, qemuArguments } from './qemu-arguments.ts';

/** Configuration files of one BMC simulator, by file name. */
export interface BmcFiles {
  readonly 'lan.conf': string;
  readonly 'ipmi.emu': string;
  /** Called by the simulator to power the machine. */
  readonly 'chassis.sh': string;
  /** Called by the simulator for the address that the BMC reports. */
  readonly 'lan-config.sh': string;
}

/** What ipmi_sim needs to be the BMC of a machine: answers on the network and in-band, powers QEMU. */
export function bmcFiles(spec: MachineSpec, place: MachinePlace, dir: string): BmcFiles {
  const { name, password } = FACTORY_BMC_USER;
  return {
    'lan.conf': `name "${spec.name}"
set_working_mc 0x20
  startlan 1
    addr ${spec.bmcAddress} 623
    priv_limit admin
    allowed_auths_callback none md2 md5 straight
    allowed_auths_user none md2 md5 straight
    allowed_auths_operator none md2 md5 straight
    allowed_auths_admin none md2 md5 straight
    guid ${spec.uuid.replaceAll('-', '')}
    lan_config_program "${dir}/lan-config.sh"
  endlan
  chassis_control "${dir}/chassis.sh 0x20"
  serial 15 127.0.0.1 ${place.bmcPort} codec VM
  poweroff_wait 5
  kill_wait 1
  startnow false
  user 1 true "" "test" user 10 none md2 md5 straight
  user 2 true "${name}" "${password}" admin 10 none md2 md5 straight
  user 3 false "" "" admin 10 none md2 md5 straight
  user 4 false "" "" admin 10 none md2 md5 straight
`,
    'ipmi.emu': `mc_setbmc 0x20
mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02
mc_enable 0x20
`,
    'chassis.sh': chassisScript(qemuArguments(spec, place), dir),
    'lan-config.sh': lanConfigScript(spec),
  };
}

/** `script 0x20 get power|boot …` prints `name:value`; `script 0x20 set power 0|1`, `set boot pxe`, `set reset 1`. */
function chassisScript(qemu: readonly string[], dir: string): string {
  const words = qemu.map((word) => `'${word}'`).join(' ');
  return `#!/bin/sh
# Power of one machine of the virtual rack. Written by the lab.
dir='${dir}'
pid() { cat "$dir/qemu.pid" 2>/dev/null; }
alive() { p=$(pid) && [ -n "$p" ] && tr '\\0' ' ' < "/proc/$p/cmdline" 2>/dev/null | grep -q "$dir/qemu.pid"; }
on() {
  alive && return
  printf '\\n=== power on %s\\n' "$(date -u +%H:%M:%S)" >> "$dir/console.log"
  setsid qemu-system-x86_64 ${words} < /dev/null >> "$dir/qemu.log" 2>&1 &
  n=0; while [ $n -lt 50 ] && ! alive; do sleep 0.1; n=$((n + 1)); done
}
off() {
  alive || return
  p=$(pid); kill "$p" 2>/dev/null
  n=0; while [ $n -lt 30 ] && alive; do sleep 0.1; n=$((n + 1)); done
  alive && kill -9 "$p"
}
echo "$(date -u +%H:%M:%S) $*" >> "$dir/bmc.log"
shift
op=$1; shift
while [ $# -gt 0 ]; do
  what=$1; shift
  case "$op $what" in
    'get power') if alive; then echo power:1; else echo power:0; fi ;;
    'get boot') echo "boot:$(cat "$dir/boot" 2>/dev/null || echo none)" ;;
    'set power') if [ "$1" = 1 ]; then on; else off; fi; shift ;;
    'set reset') off; on; shift ;;
    'set boot') echo "$1" > "$dir/boot"; shift ;;
    'set identify'|'set shutdown') shift ;;
    'check '*) ;;
    *) echo "not supported: $op $what" >&2; exit 1 ;;
  esac
done
exit 0
`;
}

/** `script get|set|check PARAMETER …`: reports the address of the simulated BMC, changes nothing. */
function lanConfigScript(spec: MachineSpec): string {
  return `#!/bin/sh
# Network settings of one simulated BMC. Written by the lab.
op=$1; shift
[ "$op" = get ] || exit 0
while [ $# -gt 0 ]; do
  case $1 in
    ip_addr) echo 'ip_addr:${spec.bmcAddress}' ;;
    ip_addr_src) echo 'ip_addr_src:static' ;;
    mac_addr) echo 'mac_addr:${spec.mac.replace('52:', '56:')}' ;;
    subnet_mask) echo 'subnet_mask:255.255.255.0' ;;
    default_gw_ip_addr) echo 'default_gw_ip_addr:0.0.0.0' ;;
    default_gw_mac_addr) echo 'default_gw_mac_addr:00:00:00:00:00:00' ;;
    backup_gw_ip_addr) echo 'backup_gw_ip_addr:0.0.0.0' ;;
    backup_gw_mac_addr) echo 'backup_gw_mac_addr:00:00:00:00:00:00' ;;
  esac
  shift
done
exit 0
`;
}
