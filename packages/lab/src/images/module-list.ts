/** Kernel modules of the boot images, by purpose. Names that a kernel has built in or lacks are skipped. */
export const IMAGE_MODULES: readonly string[] = [
  // buses
  ...['virtio_pci', 'virtio_mmio', 'hv_vmbus', 'xhci_pci', 'ehci_pci', 'vmd'],
  // network
  ...[
    'virtio_net',
    'e1000',
    'e1000e',
    'igb',
    'igbvf',
    'igc',
    'ixgbe',
    'ixgbevf',
    'i40e',
    'iavf',
    'ice',
    'bnx2',
    'bnx2x',
  ],
  ...['bnxt_en', 'tg3', 'mlx4_en', 'mlx5_core', 'r8169', 'r8125', '8139cp', '8139too', 'be2net', 'enic', 'qede', 'sfc'],
  ...['atlantic', 'ena', 'vmxnet3', 'hv_netvsc', 'realtek', 'af_packet'],
  // disks
  ...['virtio_blk', 'virtio_scsi', 'nvme', 'ahci', 'ata_piix', 'ata_generic', 'sd_mod', 'megaraid_sas', 'mpt3sas'],
  ...['mpi3mr', 'hpsa', 'smartpqi', 'aacraid', 'isci', 'mvsas', 'pm80xx', 'vmw_pvscsi', 'hv_storvsc', 'mmc_block'],
  ...['sdhci_pci', 'sdhci_acpi', 'usb_storage', 'uas'],
  // BMC
  ...['ipmi_si', 'ipmi_ssif', 'ipmi_devintf', 'acpi_ipmi'],
  // disk boot of the stand-in, link
  ...['vfat', 'nls_cp437', 'nls_ascii', 'nls_iso8859_1', 'nls_utf8', 'wireguard', 'crc32c_generic', 'crct10dif_pclmul'],
  ...['rtc_cmos', 'i6300esb', 'efivarfs'],
];
