import type { MachineSpec } from './machine-spec.ts';

/** Files and ports that one machine uses. */
export interface MachinePlace {
  readonly disk: string;
  /** Writable copy of the UEFI variables; unused by BIOS machines. */
  readonly uefiVariables: string;
  readonly consoleLog: string;
  readonly pidFile: string;
  readonly tap: string;
  /** TCP port on loopback where the BMC simulator waits for its machine. */
  readonly bmcPort: number;
}

const OVMF_CODE = '/usr/share/OVMF/OVMF_CODE_4M.fd';

/**
 * The command line of a machine: emulated (never KVM), network before disk in the boot order, console to a file,
 * its BMC reachable in-band. Comma in paths is not supported.
 */
export function qemuArguments(spec: MachineSpec, place: MachinePlace): string[] {
  const uefi = spec.firmware === 'uefi';
  const firmware = uefi
    ? [
        ...['-drive', `if=pflash,format=raw,readonly=on,file=${OVMF_CODE}`],
        ...['-drive', `if=pflash,format=raw,file=${place.uefiVariables}`],
        // The rack boots over IPv4: trying IPv6 after an exit would only cost time.
        ...['-fw_cfg', 'name=opt/org.tianocore/IPv6PXESupport,string=no'],
      ]
    : [];
  // OVMF has a driver of its own for virtio; the BIOS needs the card's ROM (which is iPXE).
  const rom = uefi ? ',romfile=' : '';
  return [
    ...['-machine', `${uefi ? 'q35' : 'pc'},accel=tcg`, '-m', String(spec.memoryMb), '-smp', '1'],
    ...['-uuid', spec.uuid],
    ...['-smbios', `type=1,manufacturer=Bloomery lab,product=Virtual machine,serial=${spec.serialNumber}`],
    ...firmware,
    ...['-netdev', `tap,id=n0,ifname=${place.tap},script=no,downscript=no`],
    ...['-device', `virtio-net-pci,netdev=n0,mac=${spec.mac},bootindex=1${rom}`],
    ...['-drive', `file=${place.disk},format=raw,if=none,id=d0,discard=unmap,cache=unsafe`],
    ...['-device', `virtio-blk-pci,drive=d0,bootindex=2,serial=${spec.serialNumber}`],
    ...['-chardev', `socket,id=bmc,host=127.0.0.1,port=${place.bmcPort},reconnect=2`],
    ...['-device', 'ipmi-bmc-extern,id=b0,chardev=bmc', '-device', 'isa-ipmi-kcs,bmc=b0'],
    ...['-object', 'rng-random,id=r0,filename=/dev/urandom', '-device', 'virtio-rng-pci,rng=r0'],
    ...['-nodefaults', '-display', 'none'],
    ...['-chardev', `file,id=con,path=${place.consoleLog},append=on`, '-serial', 'chardev:con'],
    ...['-pidfile', place.pidFile],
  ];
}
