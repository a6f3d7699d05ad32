// What the benchmark uses of borch, which brings no types: peers.ts takes its JavaScript out of a Python wheel.

declare module "borch" {
  export class Tensor {
    static from(
      data: Float32Array,
      shape: readonly number[],
      options?: { dtype?: "float32" | "int64"; requiresGrad?: boolean },
    ): Tensor;
    /** What the tensor lies in. */
    readonly raw: GPUBuffer;
    /** Copies another tensor's values on the device. */
    copyFrom(source: Tensor): Tensor;
    backward(): void;
    item(): Promise<number>;
    toArray(): Promise<Float32Array>;
  }

  export class Device {
    /** Names the adapter, once `init` is done. */
    static readonly adapterInfo: string;
    /** Submits what was recorded since the last submit. */
    flush(): void;
    /** Resolves when the device is done with all of it. */
    synchronize(): Promise<void>;
    /** Frees a buffer that `keepAlive` has kept. */
    unkeep(buffer: GPUBuffer): void;
    /** Frees the buffers that wait for reuse. */
    emptyCache(): void;
  }

  interface CompiledOptions {
    /** Times the kernels that could do the same, where the adapter has timestamps. Default: true. */
    readonly tune?: boolean;
  }

  /** A function that is recorded at its first call for each list of shapes, and replayed after. */
  export class Compiled<Arguments extends Tensor[]> {
    /** For each recording, what was chosen of the kernels that were timed. */
    readonly tuned: readonly (readonly { readonly prior: string; readonly chosen: string }[])[];
    /** For each recording, how many dispatches it replays no more, since nothing they read changes in a replay. */
    readonly hoisted: readonly number[];
    call(...args: Arguments): Promise<Tensor>;
    /** Does the timing that is still owed. */
    settle(): Promise<void>;
    dispose(): void;
  }

  export function init(): Promise<Device>;
  export function isSoftwareAdapter(adapterInfo: string): boolean;
  export function noGrad<T>(body: () => T): T;
  /** Frees the tensors that were made in it. */
  export function scope<T>(body: () => Promise<T>): Promise<T>;
  /** Keeps a tensor when its scope ends. */
  export function keepAlive(tensor: Tensor): Tensor;
  /** A step that writes what it likes. */
  export function compiled<Arguments extends Tensor[]>(
    step: (...args: Arguments) => Tensor,
    options?: CompiledOptions,
  ): Compiled<Arguments>;
  /** A model's forward pass, its layers fused for inference. */
  export function compiled(model: nn.Module, options?: CompiledOptions): Compiled<[Tensor]>;

  export namespace nn {
    class Module {
      call(x: Tensor): Tensor;
      parameters(): Tensor[];
    }
    class Sequential extends Module {
      constructor(...layers: Module[]);
    }
    class Linear extends Module {
      readonly weight: Tensor;
      readonly bias: Tensor;
      constructor(inputs: number, outputs: number);
    }
    class Conv2d extends Module {
      readonly weight: Tensor;
      readonly bias: Tensor;
      constructor(inputs: number, outputs: number, kernelSize: number, stride: number, padding: number);
    }
    class ReLU extends Module {}
    class Flatten extends Module {}
    class MaxPool2d extends Module {
      constructor(size: number);
    }
    class AvgPool2d extends Module {
      constructor(size: number);
    }
    class Softmax extends Module {
      constructor(dimension: number);
    }
    class CrossEntropyLoss {
      call(logits: Tensor, classes: Tensor): Tensor;
    }
  }

  export namespace optim {
    class SGD {
      constructor(parameters: Tensor[], learningRate: number);
      zeroGrad(): void;
      step(): void;
    }
  }
}
