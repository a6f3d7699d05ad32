import { FeaturemapError } from "../base/errors.ts";
import type { Access, Specialized } from "../wgsl/specialize.ts";
import { type LiveDevice, orLost } from "./lost.ts";
import { Patience } from "./patience.ts";

const BUFFER_TYPE: Readonly<Record<Access, GPUBufferBindingType>> = { read: "read-only-storage", write: "storage" };

/** How many pipelines are kept; the one that was not used for longest goes first. */
const CAPACITY = 512;

/**
 * Milliseconds in which no pipeline of a device became ready and none was asked for, after which those that are awaited are given up:
 * some texts a driver's compiler does not finish in hours. Pipelines wait for each other, so it is not the time of one.
 */
export const MOST_COMPILE_MS = 120_000;

/** Pipelines by the text that they run: the key is the thing itself. */
export class PipelineCache {
  readonly #live: LiveDevice;
  readonly #device: GPUDevice;
  readonly #pipelines = new Map<string, Promise<GPUComputePipeline>>();
  readonly #layouts = new Map<string, GPUBindGroupLayout>();
  /** What gives up on a pipeline that is not ready. */
  readonly #waiting = new Set<() => void>();
  readonly #patience = new Patience(MOST_COMPILE_MS, () => {
    for (const giveUp of this.#waiting) giveUp();
  });

  constructor(live: LiveDevice) {
    this.#live = live;
    this.#device = live.device;
  }

  get size(): number {
    return this.#pipelines.size;
  }

  /**
   * The pipeline of a shader, compiled in the background; ask for several at once to compile them in parallel.
   *
   * @param node Whose kernel it is, for the message.
   * @throws FeaturemapError `device` where the driver refuses the shader, with the message, the line and its text, and where its
   *   compiler does not come to an end (`MOST_COMPILE_MS`); `lost` or `state` where the device is gone
   */
  get(shader: Specialized, node?: string): Promise<GPUComputePipeline> {
    const pipeline = this.#pipelines.get(shader.code) ?? this.#compile(shader, node);
    this.forget(shader);
    this.#pipelines.set(shader.code, pipeline); // as the one that was used last
    const [oldest] = this.#pipelines.keys();
    if (this.#pipelines.size > CAPACITY) this.#pipelines.delete(oldest!);
    return pipeline;
  }

  /** Lets a pipeline go; who has it may use it on. */
  forget(shader: Specialized): void {
    this.#pipelines.delete(shader.code);
  }

  /** The layout of a shader's bind group; kernels that bind alike share one. */
  layout({ bindings }: Specialized): GPUBindGroupLayout {
    const key = bindings.map(({ access }) => access).join(",");
    const known = this.#layouts.get(key);
    if (known) return known;
    const layout = this.#device.createBindGroupLayout({
      label: key,
      entries: bindings.map(({ access }, binding) => ({
        binding,
        visibility: 4, // GPUShaderStage.COMPUTE
        buffer: { type: BUFFER_TYPE[access] },
      })),
    });
    this.#layouts.set(key, layout);
    return layout;
  }

  async #compile(shader: Specialized, node?: string): Promise<GPUComputePipeline> {
    const label = shader.entryPoint;
    this.#device.pushErrorScope("validation");
    const module = this.#device.createShaderModule({ label, code: shader.code });
    const layout = this.#device.createPipelineLayout({ label, bindGroupLayouts: [this.layout(shader)] });
    const invalid = this.#device.popErrorScope();
    const compute = { module, entryPoint: shader.entryPoint };
    const compiled = this.#device.createComputePipelineAsync({ label, layout, compute });
    try {
      const [pipeline, error] = await this.#inTime(orLost(this.#live, Promise.all([compiled, invalid])), label, node);
      this.#live.assertLive();
      if (error) throw new Error(error.message);
      return pipeline;
    } catch (cause) {
      this.forget(shader);
      if (cause instanceof FeaturemapError) throw cause;
      const messages = await this.#said(module, label);
      throw new FeaturemapError("device", explain(shader, messages, cause), { cause });
    }
  }

  /** What the compiler says of a module; nothing, where the device does not tell. */
  async #said(module: GPUShaderModule, kernel: string): Promise<readonly GPUCompilationMessage[]> {
    try {
      return (await this.#inTime(orLost(this.#live, module.getCompilationInfo()), kernel)).messages;
    } catch {
      this.#live.assertLive();
      return [];
    }
  }

  /** What a compilation becomes, or an error where the device is lost or nothing is ready for too long. */
  async #inTime<T>(compiling: Promise<T>, kernel: string, node?: string): Promise<T> {
    let giveUp = () => {};
    const late = new Promise<never>((_, reject) => {
      giveUp = () => {
        const of = node === undefined ? "" : ` of "${node}"`;
        const message =
          `The shader compiler of this device did not finish kernel "${kernel}"${of} in ${MOST_COMPILE_MS / 1000} s. ` +
          "Use another batch size or layer size, other tiles (compile's choices), or another browser or driver, and report it.";
        reject(new FeaturemapError("device", message));
      };
    });
    this.#waiting.add(giveUp);
    this.#patience.restart();
    const gone = (this.#live.lost ?? this.#device.lost).then(() => {
      this.#live.assertLive();
      return compiling;
    });
    try {
      return await Promise.race([compiling, late, gone]);
    } finally {
      this.#waiting.delete(giveUp);
      if (this.#waiting.size > 0) this.#patience.restart();
      else this.#patience.end();
    }
  }
}

/** The driver's messages, each with the text around its place: a line of a shipped shader may hold a whole function. */
function explain(shader: Specialized, messages: readonly GPUCompilationMessage[], cause: unknown): string {
  const lines = shader.code.split("\n");
  const said = messages
    .filter(({ type }) => type === "error")
    .map(({ message, lineNum, linePos }) => {
      const text = lines[lineNum - 1]?.slice(Math.max(0, linePos - 60), linePos + 60).trim() ?? "";
      return `  line ${lineNum}:${linePos}: ${message}\n    ${text}`;
    });
  const reason = said.length > 0 ? said.join("\n") : `  ${cause instanceof Error ? cause.message : String(cause)}`;
  return `The shader of kernel "${shader.entryPoint}" does not compile on this device:\n${reason}`;
}
