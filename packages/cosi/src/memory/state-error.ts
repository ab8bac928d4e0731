import { BloomeryError, type ErrorCode } from '@bloomery/ports';

/** Of what an error speaks. */
export interface ResourcePointer {
  readonly namespace: string;
  readonly type: string;
  readonly id: string;
}

/** An error of the state, in the words that users of COSI know. */
export function stateError(code: ErrorCode, pointer: ResourcePointer, problem: string): BloomeryError {
  const { namespace, type, id } = pointer;
  return new BloomeryError(code, `resource ${type}(${namespace}/${id}) ${problem}`, { facts: { namespace, type, id } });
}
