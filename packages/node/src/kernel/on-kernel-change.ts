import type { WakeSource } from '@bloomery/cosi';
import type { Kernel, KernelChange } from './kernel.ts';

/** Wakes when the kernel tells of one of these. */
export function onKernelChange(kernel: Pick<Kernel, 'listen'>, ...of: readonly KernelChange['of'][]): WakeSource {
  return {
    listen: (wake) =>
      kernel.listen((change) => {
        if (change.of === 'all' || of.includes(change.of)) wake();
      }),
  };
}
