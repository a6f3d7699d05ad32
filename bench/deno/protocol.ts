import type { NetworkName } from "../networks.ts";
import type { Computed } from "../statistics.ts";

export interface DenoRequest {
  readonly network: NetworkName;
  readonly rounds: number;
  /** What a round's group of steps should take. */
  readonly groupMs: number;
  /** Folder of MNIST's files. */
  readonly mnist: string;
}

export interface DenoFigures {
  readonly deno: string;
  readonly adapter: string;
  readonly systems: readonly {
    readonly name: "featuremap" | "jax-js-webgpu";
    readonly computed: Computed;
    readonly firstStepMs: number;
    /** One for each round. */
    readonly stepMs: number[];
  }[];
}
