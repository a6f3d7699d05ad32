import { FeaturemapError } from "../errors.ts";
import type { Access, Specialized } from "./specialize.ts";

const BUFFER_TYPE: Readonly<Record<Access, GPUBufferBindingType>> = { read: "read-only-storage", write: "storage" };

/** How many pipelines are kept; the one that was not used for longest goes first. */
const CAPACITY = 512;

/** Pipelines by the text that they run: the key is the thing itself. */
export class PipelineCache {
  readonly #device: GPUDevice;
  readonly #pipelines = new Map<string, Promise<GPUComputePipeline>>();
  readonly #layouts = new Map<string, GPUBindGroupLayout>();

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  get size(): number {
    return this.#pipelines.size;
  }

  /**
   * The pipeline of a shader, compiled in the background; ask for several at once to compile them in parallel.
   *
   * @throws FeaturemapError `device` where the driver refuses the shader, with the message, the line and its text
   */
  get(shader: Specialized): Promise<GPUComputePipeline> {
    const pipeline = this.#pipelines.get(shader.code) ?? this.#compile(shader);
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

  async #compile(shader: Specialized): Promise<GPUComputePipeline> {
    const label = shader.entryPoint;
    this.#device.pushErrorScope("validation");
    const module = this.#device.createShaderModule({ label, code: shader.code });
    const layout = this.#device.createPipelineLayout({ label, bindGroupLayouts: [this.layout(shader)] });
    const invalid = this.#device.popErrorScope();
    try {
      const compute = { module, entryPoint: shader.entryPoint };
      const pipeline = await this.#device.createComputePipelineAsync({ label, layout, compute });
      const error = await invalid;
      if (error) throw new Error(error.message);
      return pipeline;
    } catch (cause) {
      const message = await explain(shader, module, cause);
      this.forget(shader);
      throw new FeaturemapError("device", message, { cause });
    }
  }
}

/** The driver's messages, each with the text around its place: a line of a shipped shader may hold a whole function. */
async function explain(shader: Specialized, module: GPUShaderModule, cause: unknown): Promise<string> {
  const lines = shader.code.split("\n");
  const { messages } = await module.getCompilationInfo();
  const said = messages
    .filter(({ type }) => type === "error")
    .map(({ message, lineNum, linePos }) => {
      const text = lines[lineNum - 1]?.slice(Math.max(0, linePos - 60), linePos + 60).trim() ?? "";
      return `  line ${lineNum}:${linePos}: ${message}\n    ${text}`;
    });
  const reason = said.length > 0 ? said.join("\n") : `  ${cause instanceof Error ? cause.message : String(cause)}`;
  return `The shader of kernel "${shader.entryPoint}" does not compile on this device:\n${reason}`;
}
