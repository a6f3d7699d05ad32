/**
 * Keras's optimizers in float64, one parameter tensor at a time: `p` and `kept` change in place, `t` counts steps from 1.
 *
 *   sgd       v = momentum v - rate g;  p += v, or with Nesterov p += momentum v - rate g;  without momentum p -= rate g
 *   adam      m += (1 - beta1) (g - m);  v += (1 - beta2) (g^2 - v);  h = max(h, v) with AMSGrad, else v
 *             p -= rate sqrt(1 - beta2^t) / (1 - beta1^t) m / (sqrt(h) + epsilon)
 *   adamW     adam, with a weightDecay of 0.004 by default; each with weightDecay: p -= rate weightDecay p before its step
 *   rmsprop   v = rho v + (1 - rho) g^2;  d = v, or centered v - a^2 with a = rho a + (1 - rho) g
 *             m = momentum m + rate g / sqrt(d + epsilon);  p -= m
 *   adadelta  a = rho a + (1 - rho) g^2;  d = g sqrt(b + epsilon) / sqrt(a + epsilon);  b = rho b + (1 - rho) d^2;  p -= rate d
 *   adamax    m as of adam;  u = max(beta2 u, |g|);  p -= rate / (1 - beta1^t) m / (u + epsilon)
 *   lion      p -= rate sign(beta1 m + (1 - beta1) g);  m = beta2 m + (1 - beta2) g
 *   nadam     m, v as of adam;  u(t) = beta1 (1 - 0.96^t / 2), U(t) their product up to t
 *             p -= rate (u(t + 1) m / (1 - U(t + 1)) + (1 - u(t)) g / (1 - U(t))) / (sqrt(v / (1 - beta2^t)) + epsilon)
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
  const { weightDecay, ...rest } = options as Record<string, number>;
  const { learningRate: rate = name === "sgd" ? 0.01 : 0.001 } = rest;
  const { kept, step } = make(rest);
  const decay = weightDecay ?? (name === "adamW" ? 0.004 : 0);
  if (decay === 0) return { kept, step };
  return {
    kept,
    step: (call) => {
      for (let i = 0; i < call.p.length; i++) call.p[i]! -= rate * decay * call.p[i]!;
      step(call);
    },
  };
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
  adam: adamOf,
  adamW: adamOf,
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
  adadelta: ({ learningRate: rate = 0.001, rho = 0.95, epsilon = 1e-7 }) => ({
    kept: 2,
    step: ({ p, g, kept: [a, b] }) => {
      for (let i = 0; i < p.length; i++) {
        a![i] = rho * a![i]! + (1 - rho) * g[i]! ** 2;
        const d = (g[i]! * Math.sqrt(b![i]! + epsilon)) / Math.sqrt(a![i]! + epsilon);
        b![i] = rho * b![i]! + (1 - rho) * d ** 2;
        p[i]! -= rate * d;
      }
    },
  }),
  adamax: ({ learningRate: rate = 0.001, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7 }) => ({
    kept: 2,
    step: ({ p, g, kept: [m, u], t }) => {
      for (let i = 0; i < p.length; i++) {
        m![i]! += (1 - beta1) * (g[i]! - m![i]!);
        u![i] = Math.max(beta2 * u![i]!, Math.abs(g[i]!));
        p[i]! -= (rate * m![i]!) / ((1 - beta1 ** t) * (u![i]! + epsilon));
      }
    },
  }),
  lion: ({ learningRate: rate = 0.001, beta1 = 0.9, beta2 = 0.99 }) => ({
    kept: 1,
    step: ({ p, g, kept: [m] }) => {
      for (let i = 0; i < p.length; i++) {
        p[i]! -= rate * Math.sign(beta1 * m![i]! + (1 - beta1) * g[i]!);
        m![i] = beta2 * m![i]! + (1 - beta2) * g[i]!;
      }
    },
  }),
  nadam: ({ learningRate: rate = 0.001, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7 }) => ({
    kept: 2,
    step: ({ p, g, kept: [m, v], t }) => {
      const u = (at: number) => beta1 * (1 - 0.5 * 0.96 ** at);
      const product = Array.from({ length: t }, (_, i) => u(i + 1)).reduce((a, b) => a * b, 1);
      for (let i = 0; i < p.length; i++) {
        m![i]! += (1 - beta1) * (g[i]! - m![i]!);
        v![i]! += (1 - beta2) * (g[i]! ** 2 - v![i]!);
        const h = (u(t + 1) * m![i]!) / (1 - product * u(t + 1)) + ((1 - u(t)) * g[i]!) / (1 - product);
        p[i]! -= (rate * h) / (Math.sqrt(v![i]! / (1 - beta2 ** t)) + epsilon);
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

function adamOf(options: Record<string, number>): ReferenceOptimizer {
  const { learningRate: rate = 0.001, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7, amsgrad = 0 } = options;
  return {
    kept: amsgrad ? 3 : 2,
    step: ({ p, g, kept: [m, v, h], t }) => {
      const alpha = (rate * Math.sqrt(1 - beta2 ** t)) / (1 - beta1 ** t);
      for (let i = 0; i < p.length; i++) {
        m![i]! += (1 - beta1) * (g[i]! - m![i]!);
        v![i]! += (1 - beta2) * (g[i]! ** 2 - v![i]!);
        if (h) h[i] = Math.max(h[i]!, v![i]!);
        p[i]! -= (alpha * m![i]!) / (Math.sqrt((h ?? v)![i]!) + epsilon);
      }
    },
  };
}
