/**
 * Tolerances of `test/golden/keras`, as shares of a tensor's largest number or, of a large tensor, of its norm. Keras's figures are
 * float32 themselves, written with seven digits.
 */
const KERAS = {
  forward: { share: 1e-5, reason: "sums of up to 60 products in float32 on both sides, in other orders" },
  gradient: { share: 2e-5, reason: "the same, by a gradient that has been rounded before" },
  statistic: { share: 1e-5, reason: "a mean of up to 60 numbers, moved by a share" },
  loss: { share: 1e-5, reason: "a loss of ten steps, each by the weights of the step before" },
  metric: { share: 2e-6, reason: "counts, shares of them, and means of 21 losses" },
  networkLoss: {
    share: 2e-5,
    reason: "a loss of 20 steps: runs of Keras's own from weights 1e-6 away stay within that",
  },
  networkWeight: { share: 1e-4, reason: "weights after 20 steps, each by all layers' roundings" },
  weight: { share: 2e-5, reason: "weights after ten steps" },
} as const;

export type KerasTolerance = keyof typeof KERAS;

/** Cases that need more, each with its reason: the factor, by the beginning of the label. */
const EXCEPTIONS: readonly { readonly label: string; readonly factor: number; readonly reason: string }[] = [];

/** Gives the share for a label such as "Conv2D: dilation: dx 0". */
export function kerasTolerance(kind: KerasTolerance, label: string): number {
  const exception = EXCEPTIONS.find((each) => label.startsWith(each.label));
  return KERAS[kind].share * (exception?.factor ?? 1);
}
