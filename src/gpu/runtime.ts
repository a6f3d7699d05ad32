import { assertMadeBy, type ErrorCode, FeaturemapError, knownKeys, oneOf } from "../base/errors.ts";
import { BufferPool, type MemoryUse } from "./buffers.ts";
import { Completions, isFirefox } from "./completions.ts";
import { PipelineCache } from "./pipelines.ts";

export interface RuntimeOptions {
  /**
   * Device that the app made and keeps: `dispose` leaves it alone. By default the runtime makes its own, with the features
   * `timestamp-query` and `subgroups` where there are any; shaders of your own that need another want a device of yours.
   */
  readonly device?: GPUDevice;
  /** Source of adapters. Default: `navigator.gpu`. In Node, give the `webgpu` package's `create([])`. */
  readonly gpu?: GPU;
  /** Choice between the GPUs of a machine with two. Default: the browser's choice. */
  readonly powerPreference?: GPUPowerPreference;
}

/** Adapter that runs the shaders. */
export interface AdapterSummary {
  readonly vendor: string;
  readonly architecture: string;
  readonly device: string;
  readonly description: string;
  /** Whether the processor runs the shaders: correct, but far slower than a GPU. */
  readonly software: boolean;
  /** Readable name, in one line. */
  readonly label: string;
}

/** Part of a `GPUAdapterInfo` that is read. It is plain data, so that a page can send it. */
export type AdapterInfo = Pick<
  GPUAdapterInfo,
  "vendor" | "architecture" | "device" | "description" | "isFallbackAdapter"
>;

/** Limits that the library can use. It asks for as much as the adapter has. */
const LIMITS = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxStorageBuffersPerShaderStage",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
  "maxComputeWorkgroupSizeY",
] as const satisfies readonly (keyof GPUSupportedLimits)[];

/** Features that the library uses. It asks for those that the adapter has. */
const FEATURES: readonly GPUFeatureName[] = ["timestamp-query", "subgroups"];

/**
 * Objects that must live as long as their device. Dawn's `GPU` object in Node does not know of its devices: when it is collected,
 * their next call ends the process.
 */
const ORIGINS = new WeakMap<GPUDevice, readonly object[]>();

/** Runtime: a device with its pipelines and buffers. It may serve many models. */
export class Runtime {
  readonly device: GPUDevice;
  readonly adapter: AdapterSummary;
  readonly pipelines: PipelineCache;
  readonly buffers: BufferPool;
  readonly completions: Completions;
  /** Promise that resolves when the device is gone: by `dispose`, a driver reset, or the app. */
  readonly lost: Promise<Pick<GPUDeviceLostInfo, "reason" | "message">>;
  /** Whether the runtime made the device, with all of its adapter's limits. */
  readonly ownsDevice: boolean;
  #gone: { readonly code: ErrorCode; readonly message: string } | undefined;
  /** Resolves `lost`. */
  #end: (info: Pick<GPUDeviceLostInfo, "reason" | "message">) => void = () => {};

  /** @internal Use `createRuntime`. */
  constructor(device: GPUDevice, adapter: AdapterSummary, ownsDevice: boolean) {
    this.device = device;
    this.adapter = adapter;
    this.pipelines = new PipelineCache(this);
    this.buffers = new BufferPool(this);
    const firefox = isFirefox((globalThis.navigator as Navigator | undefined)?.userAgent);
    this.completions = new Completions(device, firefox, () => this.assertLive());
    this.ownsDevice = ownsDevice;
    this.lost = new Promise((resolve) => {
      this.#end = resolve;
    });
    device.lost.then((info) => {
      const { reason, message } = info;
      const why = message ? `${reason}: ${message}` : reason;
      this.#gone ??= { code: "lost", message: `The GPU device was lost (${why}). Make a new runtime and model.` };
      this.#end(info);
    });
  }

  get [Symbol.toStringTag](): string {
    return "Runtime";
  }

  /** Live GPU buffers made through this runtime. */
  get memory(): MemoryUse {
    return this.buffers.use;
  }

  /**
   * Checks that the device is there.
   *
   * @throws FeaturemapError `lost` where the device is lost, `state` where the runtime was disposed
   */
  assertLive(): void {
    if (this.#gone) throw new FeaturemapError(this.#gone.code, this.#gone.message);
  }

  /** Frees every buffer, and destroys the device if the runtime made it. Its models can no longer be used. */
  dispose(): void {
    this.#gone ??= { code: "state", message: "The runtime was disposed. Make a new one with createRuntime()." };
    this.buffers.dispose();
    if (this.ownsDevice) this.device.destroy();
    else this.#end({ reason: "destroyed", message: "The runtime was disposed." });
  }
}

/**
 * Makes a runtime. It finds an adapter and makes a device, or takes the app's device.
 *
 * @throws FeaturemapError `value` for an option that is unknown or wrong; `device` where there is no WebGPU or no adapter;
 *   `lost` where the GPU is lost meanwhile
 */
export async function createRuntime(options: RuntimeOptions = {}): Promise<Runtime> {
  knownKeys(options, ["device", "gpu", "powerPreference"], "createRuntime");
  const { device: given, powerPreference } = options;
  const { gpu = (globalThis.navigator as Navigator | undefined)?.gpu } = options;
  if (given !== undefined) {
    assertMadeBy(
      typeof given?.createBuffer === "function",
      given,
      "createRuntime: device",
      "await adapter.requestDevice()",
    );
    return new Runtime(given, adapterSummary(given.adapterInfo), false);
  }
  if (!gpu) {
    throw new FeaturemapError(
      "device",
      "WebGPU is not available here: navigator.gpu is missing. Use a browser with WebGPU, over https or on localhost, " +
        "or pass createRuntime({ gpu }) or ({ device }).",
    );
  }
  assertMadeBy(typeof gpu.requestAdapter === "function", gpu, "createRuntime: gpu", "navigator.gpu or the like");
  if (powerPreference !== undefined)
    oneOf(powerPreference, ["low-power", "high-performance"], "createRuntime: powerPreference");
  const adapter = await gpu.requestAdapter(powerPreference ? { powerPreference } : {});
  if (!adapter) {
    throw new FeaturemapError(
      "device",
      "WebGPU is here but found no adapter. Update the graphics driver or the browser.",
    );
  }
  const requiredLimits = Object.fromEntries(LIMITS.map((name) => [name, adapter.limits[name]]));
  const requiredFeatures = FEATURES.filter((feature) => adapter.features.has(feature));
  const device = await adapter
    .requestDevice({ label: "featuremap", requiredFeatures, requiredLimits })
    .catch((cause: Error) => {
      // The adapter has all that was asked for, so it must be gone.
      throw new FeaturemapError("lost", `The GPU was lost before it gave a device (${cause.message}). Try again.`, {
        cause,
      });
    });
  ORIGINS.set(device, [gpu, adapter]);
  return new Runtime(device, adapterSummary(adapter.info), true);
}

/** Sums up what an adapter says of itself, and whether it is software. Older browsers tell nothing of a device's adapter. */
export function adapterSummary(info: Partial<AdapterInfo> = {}): AdapterSummary {
  const { vendor = "", architecture = "", device = "", description = "" } = info;
  const text = [vendor, architecture, device, description].join(" ");
  const software = Boolean(info.isFallbackAdapter) || /swiftshader|llvmpipe|lavapipe|basic render/i.test(text);
  // Some hosts give the vendor's PCI number in place of its name. It tells a reader nothing.
  const named = [...new Set([description || device, vendor, architecture])].filter((word) => /\D/.test(word));
  const label = `${named.join(", ") || "unnamed adapter"}${software ? " (software: runs on the processor)" : ""}`;
  return { vendor, architecture, device, description, software, label };
}
