/**
 * Every tolerance of the test suite, with its reason. A test takes one from here and never writes its own number, so
 * that a tolerance is loosened in one place and with a reason, or not at all.
 *
 * A value is good where |got - want| <= atol + rtol * |want| (see compare.ts). u = 2^-24, about 6e-8, is the largest
 * relative error of one float32 rounding.
 */

import { winogradTransforms } from "../reference/winograd.ts";
import type { Tolerance } from "./compare.ts";

export interface NamedTolerance extends Tolerance {
  readonly reason: string;
}

/**
 * For values that are sums of products in float32: conv2d, dense, matmul, their gradients, bias sums.
 *
 * @param terms products per sum: conv2d kH*kW*inC; its input gradient kH*kW*outC; its filter gradient and bias
 *   n*outH*outW; dense inputs, units or rows.
 * @param scale the largest |product| that can occur: max|x| * max|w|; 1 for data in [-1, 1].
 *
 * The terms of atol: 4e-7 * sqrt(terms) covers the roundings of the products and of short sums; u * terms covers a sum
 * taken in order, whose partial sums grow like sqrt(terms) and are rounded each time. rtol covers partial sums that
 * grow like `terms` because the products share a sign. Measured with sums taken in order in float32 (the worst order a
 * kernel may use) over uniform data and 1 to 100352 terms: 3% to 30% of this is used by products of mixed sign, up to
 * 70% by products of one sign. One product left out is seen while it is above about u * terms * scale.
 */
export function sumTolerance(terms: number, scale = 1): NamedTolerance {
  return {
    atol: scale * (4e-7 * Math.sqrt(terms) + 6e-8 * terms),
    rtol: 1e-6 + 6e-8 * Math.sqrt(terms),
    reason: `float32 sum of ${terms} products of size up to ${scale}, in any order`,
  };
}

/**
 * For a convolution by Winograd's algorithm, and its gradients: a direct sum's tolerance, several times over. The
 * transforms multiply what they add by up to 5.25 and take differences of it, so that roundings grow while the sums do not.
 *
 * The largest share of a direct sum's tolerance, measured on SwiftShader over uniform data of mixed sign, where direct kernels
 * use 0.02 to 0.23 of it:
 *
 * |                                            | y, dX      | dK                                                   |
 * | ------------------------------------------ | ---------- | ---------------------------------------------------- |
 * | 6 points, small, as in the tests           | 0.4 to 1.5 | 0.4 to 2.3                                           |
 * | 6 points, 12 x 12 x 32, 2, 3 and 5 taps    | 1.0 to 4.9 | 0.9 to 3.9                                           |
 * | 8 points, small, as in the tests           | 0.5 to 5.0 | 1.3 to 5.6, and 10.7 once, of 5 positions in 2 tiles |
 * | 8 points, 12 x 12 x 32, 2, 3, 5 and 7 taps | 1.4 to 6.0 | 1.0 to 6.9                                           |
 *
 * Where all data is of one sign 0.2 to 3.4 is used. The bias gradient is a plain sum and keeps a direct sum's tolerance.
 *
 * @param terms products per sum of the direct algorithm
 * @param points 6, 7 or 8, along each axis
 * @param scale the largest |product| that can occur
 */
export function winogradTolerance(terms: number, points: 6 | 7 | 8, scale = 1): NamedTolerance {
  const growth = points === 6 ? 8 : 24;
  const { atol, rtol } = sumTolerance(terms, scale);
  return {
    atol: growth * atol,
    rtol: growth * rtol,
    reason: `float32 sum of ${terms} products by Winograd's algorithm on ${points} points, ${growth} times a direct sum's`,
  };
}

/**
 * For outputs of Winograd's algorithm near a pixel that is much larger than all others. The transforms give a share of it to every
 * output of each tile whose patch has it, where the shares cancel but for their roundings: those outputs too are off by a share of
 * u * outlier whose window lacks the pixel, as a direct convolution's are not.
 *
 * A share is at most growth², growth = the largest sum over the points p of |A[p,i]| * (sum over j of |G[p,j]|) * |B[a,p]| over
 * outputs i and places a: 15 to 21 at 6 points, 20 to 36 at 7 and 8. Measured on SwiftShader over six places and data of each size,
 * kernels of 2 to 5: up to 0.3 of that, 209 u * outlier at worst (7 points, a kernel of 4), which is 12 for a pixel of 1e6.
 *
 * @param terms products per sum of the direct algorithm, of data within 1 but for the pixel
 * @param outlier the size of that pixel, times the largest weight
 */
export function winogradOutlierTolerance(
  points: 6 | 7 | 8,
  taps: number,
  terms: number,
  outlier: number,
): NamedTolerance {
  const { bT, g, aT } = winogradTransforms(points, taps);
  const weights = g.map((row) => row.reduce((sum, value) => sum + Math.abs(value), 0));
  const growths = aT.flatMap((a) =>
    bT[0]!.map((_, at) => weights.reduce((sum, of, p) => sum + Math.abs(a[p]!) * of * Math.abs(bT[p]![at]!), 0)),
  );
  const { atol, rtol } = winogradTolerance(terms, points);
  const share = Math.max(...growths) ** 2;
  return {
    atol: atol + share * 2 ** -24 * outlier,
    rtol,
    reason: `Winograd's algorithm on ${points} points beside a product of ${outlier}: ${Math.round(share)} u of it`,
  };
}

export const tolerances = {
  exact: {
    atol: 0,
    rtol: 0,
    reason: "max pooling, gather, copy and zero fill move float32 values without arithmetic; counts are whole numbers",
  },
  elementwise: {
    atol: 2e-6,
    rtol: 2e-6,
    reason: "a few roundings (u each) plus exp or tanh: WGSL allows exp 3 + 2|x| ulp, some 5u to 20u for |x| < 4",
  },
  pointwise: {
    atol: 2e-7,
    rtol: 2e-6,
    reason: "functions are a few u off (`power` some u more for each unit of b ln a); beside 1, sums keep u of that",
  },
  pointwiseGradient: {
    atol: 2e-6,
    rtol: 1e-5,
    reason: "the same for products of such functions, held against differences in float64, which are within 1e-9",
  },
  activation: {
    atol: 2 ** -126,
    rtol: 5e-7,
    reason:
      "each activation over all exponents: Keras 3.15.1 on JAX is up to 2.5e-7 off, the kernels' formulas in float32 up to 1.8e-7, " +
      "and WGSL's division may add 1.5e-7; what is no normal number may be 0",
  },
  activationGradient: {
    atol: 2 ** -126,
    rtol: 1e-6,
    reason: "the same for a derivative, by an output that is rounded: Keras on JAX is up to 5.1e-7 off",
  },
  saturatedGradient: {
    atol: 5e-7,
    rtol: 1e-6,
    reason: "1 - y beside an output of 1 or -1 has what y has after the point: Keras on JAX is up to 4.5e-7 off",
  },
  softmax: {
    atol: 2e-6,
    rtol: 5e-6,
    reason: "exp, a sum over the classes and one division (WGSL: 2.5 ulp); values are at most 1",
  },
  crossEntropy: {
    atol: 5e-6,
    rtol: 5e-6,
    reason: "log of a sum of exps minus a logit: the logits of the tests are within +-10, so u * 10 before the log",
  },
  normalization: {
    atol: 1e-5,
    rtol: 1e-5,
    reason:
      "a difference of numbers within 3 times 1 / sqrt(variance + 0.001), at most 32: u * 3 * 32, by means of many and a root",
  },
  averagePooling: {
    atol: 1e-6,
    rtol: 1e-6,
    reason: "a sum over a small window (at most 25 cells within +-1) and one division",
  },
  mixDraws: {
    atol: 2e-6,
    rtol: 0,
    reason:
      "a power by a logarithm of 1e-7 times 1 / a, and a square root of a ratio of two such numbers; shares lie between 0 and 1",
  },
  mixedSteps: {
    atol: 2e-6,
    rtol: 2e-6,
    reason: "two steps on a few samples whose numbers were mixed by shares that differ by 2e-7",
  },
  mixRows: {
    atol: 2e-7,
    rtol: 4e-7,
    reason: "two products and a sum, numbers of about 1",
  },
  warp: {
    atol: 5e-6,
    rtol: 2e-6,
    reason: "places up to 30 pixels away by three products: u * 30 each, times steps of up to 2 from pixel to pixel",
  },
  poolingGradient: {
    atol: 2e-6,
    rtol: 2e-6,
    reason: "up to 25 overlapping windows add up in any order, each divided by its cells",
  },
  sgdUpdate: {
    atol: 1e-7,
    rtol: 2e-7,
    reason: "w - rate * gradient: two roundings, or one where the compiler fuses them; |w| up to 1",
  },
  clipping: {
    atol: 2 ** -126,
    rtol: 1e-5,
    reason:
      "a factor by a sum of up to 20,000 squares, all above 0, 64 lanes at a time: some 40u; a root, a division, a product",
  },
  optimizerStep: {
    atol: 5e-7,
    rtol: 2e-6,
    reason: "p within +-2 and steps of at most 0.2, by exp, roots and divisions (WGSL: 2.5 ulp), over a few steps",
  },
  kerasArea: {
    atol: 2e-6,
    rtol: 2e-6,
    reason: "Keras adds up 200 strips of an area in float32, each a quotient of counts: some 10u of at most 1 each",
  },
  kerasOptimizer: {
    atol: 3e-6,
    rtol: 2e-6,
    reason:
      "Keras takes 1 - 0.999^t in float32: 1.3e-5 off at t = 1, half of that after the root, of steps of up to 0.1",
  },
  trainingStep: {
    atol: 2e-5,
    rtol: 1e-4,
    reason: "weights or gradients after one step of a small network: the sums of several layers, one upon the other",
  },
  lossCurve: {
    atol: 1e-4,
    rtol: 1e-3,
    reason: "mean loss over tens of steps: each step's roundings move the weights that the next step starts from",
  },
  float64: {
    atol: 1e-12,
    rtol: 1e-12,
    reason: "two float64 computations of the same numbers in a different order",
  },
  finiteDifference: {
    atol: 1e-8,
    rtol: 1e-7,
    reason: "central difference in float64 with step 1e-5: 1e-10 of truncation and 1e-16 * |f| / 1e-5 of cancellation",
  },
} satisfies Record<string, NamedTolerance>;
