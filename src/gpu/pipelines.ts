import { FeaturemapError } from "../base/errors.ts";
import type { Access, Specialized } from "../wgsl/specialize.ts";
import { type LiveDevice, orLost } from "./lost.ts";
import { StallTimer } from "./stall-timer.ts";

const BUFFER_TYPE: Readonly<Record<Access, GPUBufferBindingType>> = { read: "read-only-storage", write: "storage" };

/** Most pipelines that are kept. The least recently used one goes first. */
const CAPACITY = 512;

/**
 * Milliseconds after which awaited pipelines are given up, if none became ready and none was asked for meanwhile. A driver's
 * compiler may not finish some texts in hours. Pipelines wait for each other, so it is not the time of one. Set by hand on
 * 2026-11-27, when `npx tsx bench/compile-sweep.ts` found such texts.
 */
export const MAX_COMPILE_MS = 120_000;

/** Cache of pipelines, by the text that they run. */
export class PipelineCache {
  readonly #live: LiveDevice;
  readonly #device: GPUDevice;
  readonly #pipelines = new Map<string, Promise<GPUComputePipeline>>();
  readonly #layouts = new Map<string, GPUBindGroupLayout>();
  /** Functions that give up on the pipelines under way. */
  readonly #waiting = new Set<() => void>();
  readonly #stallTimer = new StallTimer(MAX_COMPILE_MS, () => {
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
   * Gives the pipeline of a shader, compiled in the background. Ask for several at once to compile them in parallel.
   *
   * @param node Name of the kernel's node, for the message.
   * @throws FeaturemapError `device` where the driver refuses the shader, with the message, the line and its text, and where its
   *   compiler does not end in time (`MAX_COMPILE_MS`); `lost` or `state` where the device is gone
   */
  get(shader: Specialized, node?: string): Promise<GPUComputePipeline> {
    const pipeline = this.#pipelines.get(shader.code) ?? this.#compile(shader, node);
    this.forget(shader);
    this.#pipelines.set(shader.code, pipeline); // as the one that was used last
    const [oldest] = this.#pipelines.keys();
    if (this.#pipelines.size > CAPACITY) this.#pipelines.delete(oldest!);
    return pipeline;
  }

  /** Forgets a pipeline. Whoever holds it may still use it. */
  forget(shader: Specialized): void {
    this.#pipelines.delete(shader.code);
  }

  /** Layout of a shader's bind group. Kernels that bind alike share one. */
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

  /** Messages of the compiler about a module; none if the device does not tell. */
  async #said(module: GPUShaderModule, kernel: string): Promise<readonly GPUCompilationMessage[]> {
    try {
      return (await this.#inTime(orLost(this.#live, module.getCompilationInfo()), kernel)).messages;
    } catch {
      this.#live.assertLive();
      return [];
    }
  }

  /** Awaits a compilation. Throws if the device is lost, or if nothing becomes ready for too long. */
  async #inTime<T>(compiling: Promise<T>, kernel: string, node?: string): Promise<T> {
    let giveUp = () => {};
    const late = new Promise<never>((_, reject) => {
      giveUp = () => {
        const of = node === undefined ? "" : ` of "${node}"`;
        const message =
          `The shader compiler of this device did not finish kernel "${kernel}"${of} in ${MAX_COMPILE_MS / 1000} s. ` +
          "Use another batch size or layer size, other tiles (compile's choices), or another browser or driver, and report it.";
        reject(new FeaturemapError("device", message));
      };
    });
    this.#waiting.add(giveUp);
    this.#stallTimer.restart();
    const gone = (this.#live.lost ?? this.#device.lost).then(() => {
      this.#live.assertLive();
      return compiling;
    });
    try {
      return await Promise.race([compiling, late, gone]);
    } finally {
      this.#waiting.delete(giveUp);
      if (this.#waiting.size > 0) this.#stallTimer.restart();
      else this.#stallTimer.stop();
    }
  }
}

/** Prints the driver's messages, each with the text around its place: a line of a shipped shader may hold a whole function. */
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
