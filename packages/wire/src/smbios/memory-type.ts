/** Names of memory types by SMBIOS code (DMTF DSP0134 table "Memory Device: Type"). */
const NAMES: Readonly<Record<number, string>> = {
  1: 'Other',
  3: 'DRAM',
  4: 'EDRAM',
  5: 'VRAM',
  6: 'SRAM',
  7: 'RAM',
  8: 'ROM',
  9: 'FLASH',
  10: 'EEPROM',
  11: 'FEPROM',
  12: 'EPROM',
  13: 'CDRAM',
  14: '3DRAM',
  15: 'SDRAM',
  16: 'SGRAM',
  17: 'RDRAM',
  18: 'DDR',
  19: 'DDR2',
  20: 'DDR2 FB-DIMM',
  24: 'DDR3',
  25: 'FBD2',
  26: 'DDR4',
  27: 'LPDDR',
  28: 'LPDDR2',
  29: 'LPDDR3',
  30: 'LPDDR4',
  31: 'Logical non-volatile device',
  32: 'HBM',
  33: 'HBM2',
  34: 'DDR5',
  35: 'LPDDR5',
  36: 'HBM3',
};

/** The DMTF name of a memory type code; `Unknown` for codes without one. */
export function memoryTypeName(code: number | undefined): string {
  return code === undefined ? 'Unknown' : (NAMES[code] ?? 'Unknown');
}
