export { decodeSmbiosEntryPoint, type SmbiosVersion } from './entry-point.ts';
export { memoryTypeName } from './memory-type.ts';
export {
  decodeSmbios,
  type Smbios,
  type SmbiosMemoryModule,
  type SmbiosProcessor,
  type SmbiosSystem,
} from './smbios.ts';
export { MAX_STRUCTURES, type SmbiosStructure, smbiosStructures } from './structure.ts';
