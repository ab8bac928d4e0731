/** A failure of a rule at run time, with kube-apiserver's words: `no such key: x`. */
export class EvaluationFailure extends Error {
  override readonly name = 'EvaluationFailure';
}
