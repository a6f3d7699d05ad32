/**
 * Keras's optimizers in float64, one parameter tensor at a time: `p` and `kept` change in place, `t` counts steps from 1.
 *
 *   sgd       v = momentum v - rate g;  p += v, or with Nesterov p += momentum v - rate g;  without momentum p -= rate g
 *   adam      m += (1 - beta1) (g - m);  v += (1 - beta2) (g^2 - v);  h = max(h, v) with AMSGrad, else v
 *             p -= rate sqrt(1 - beta2^t) / (1 - beta1^t) m / (sqrt(h) + epsilon)
 *   adamW     p -= rate weightDecay p, then adam
 *   rmsprop   v = rho v + (1 - rho) g^2;  d = v, or centered v - a^2 with a = rho a + (1 - rho) g
 *             m = momentum m + rate g / sqrt(d + epsilon);  p -= m
 *   adagrad   s += g^2;  p -= rate g / sqrt(initial + s + epsilon)
 */

export type OptimizerOptions = Readonly<Record<string, number | boolean>>;

type Step = (call: {
  readonly p: Float64Array;
  readonly g: ArrayLike<number>;
  readonly kept: readonly Float64Array[];
  readonly t: number;
}) => void;

export interface ReferenceOptimizer {
  /** How many numbers it keeps for each parameter; all start at 0. */
  readonly kept: number;
  readonly step: Step;
}

export function referenceOptimizer(name: string, options: OptimizerOptions): ReferenceOptimizer {
  const make = MAKERS[name];
  if (!make) throw new Error(`referenceOptimizer: no optimizer "${name}".`);
  return make(options as Record<string, number>);
}

const MAKERS: Record<string, (options: Record<string, number>) => ReferenceOptimizer> = {
  sgd: ({ learningRate: rate = 0.01, momentum = 0, nesterov = 0 }) => ({
    kept: momentum === 0 ? 0 : 1,
    step: ({ p, g, kept: [v] }) => {
      for (let i = 0; i < p.length; i++) {
        const velocity = momentum * (v?.[i] ?? 0) - rate * g[i]!;
        if (v) v[i] = velocity;
        p[i]! += nesterov ? momentum * velocity - rate * g[i]! : velocity;
      }
    },
  }),
  adam: (options) => adamOf(options, 0),
  adamW: ({ weightDecay = 0.004, ...options }) => adamOf(options, weightDecay),
  rmsprop: ({ learningRate: rate = 0.001, rho = 0.9, momentum = 0, epsilon = 1e-7, centered = 0 }) => ({
    kept: 1 + (momentum > 0 ? 1 : 0) + (centered ? 1 : 0),
    step: ({ p, g, kept: [v, ...rest] }) => {
      const m = momentum > 0 ? rest[0] : undefined;
      const a = centered ? rest.at(-1) : undefined;
      for (let i = 0; i < p.length; i++) {
        v![i] = rho * v![i]! + (1 - rho) * g[i]! ** 2;
        if (a) a[i] = rho * a[i]! + (1 - rho) * g[i]!;
        const change = momentum * (m?.[i] ?? 0) + (rate * g[i]!) / Math.sqrt(v![i]! - (a?.[i] ?? 0) ** 2 + epsilon);
        if (m) m[i] = change;
        p[i]! -= change;
      }
    },
  }),
  adagrad: ({ learningRate: rate = 0.001, initialAccumulatorValue: initial = 0.1, epsilon = 1e-7 }) => ({
    kept: 1,
    step: ({ p, g, kept: [s] }) => {
      for (let i = 0; i < p.length; i++) {
        s![i]! += g[i]! ** 2;
        p[i]! -= (rate * g[i]!) / Math.sqrt(initial + s![i]! + epsilon);
      }
    },
  }),
};

function adamOf(options: Record<string, number>, decay: number): ReferenceOptimizer {
  const { learningRate: rate = 0.001, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7, amsgrad = 0 } = options;
  return {
    kept: amsgrad ? 3 : 2,
    step: ({ p, g, kept: [m, v, h], t }) => {
      const alpha = (rate * Math.sqrt(1 - beta2 ** t)) / (1 - beta1 ** t);
      for (let i = 0; i < p.length; i++) {
        m![i]! += (1 - beta1) * (g[i]! - m![i]!);
        v![i]! += (1 - beta2) * (g[i]! ** 2 - v![i]!);
        if (h) h[i] = Math.max(h[i]!, v![i]!);
        if (decay > 0) p[i]! -= rate * decay * p[i]!;
        p[i]! -= (alpha * m![i]!) / (Math.sqrt((h ?? v)![i]!) + epsilon);
      }
    },
  };
}
