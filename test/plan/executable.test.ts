import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FeaturemapError } from "../../src/base/errors.ts";
import { MAX_COMPILE_MS, PipelineCache } from "../../src/gpu/pipelines.ts";
import type { Runtime } from "../../src/gpu/runtime.ts";
import { type CompileProgress, prepare } from "../../src/plan/executable.ts";
import type { Plan } from "../../src/plan/plan.ts";
import type { Specialized } from "../../src/wgsl/specialize.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const after = <T>(ms: number, run: () => T) =>
  new Promise<T>((resolve, reject) => {
    setTimeout(() => {
      try {
        resolve(run());
      } catch (error) {
        reject(error);
      }
    }, ms);
  });
const never = () => new Promise<never>(() => {});
const refuse = (name: string) => () => {
  throw new DOMException("Instance dropped.", name);
};

/** A device whose kernels compile as they are named: what each takes, or what becomes of it. */
function fakeDevice(kernels: Record<string, () => Promise<unknown>>) {
  let lose = () => {};
  let gone = false;
  const lost = new Promise<void>((resolve) => {
    lose = resolve;
  }).then(() => {
    gone = true;
  });
  const device = {
    lost,
    limits: new Proxy({}, { get: () => 2 ** 30 }),
    features: new Set(),
    pushErrorScope: () => {},
    popErrorScope: async () => null as GPUError | null,
    createShaderModule: () => ({ getCompilationInfo: async () => ({ messages: [] as object[] }) }),
    createPipelineLayout: () => ({}),
    createBindGroupLayout: () => ({}),
    createComputePipelineAsync: ({ label }: { label: string }) => kernels[label]!(),
  };
  const live = {
    device: device as unknown as GPUDevice,
    ownsDevice: true,
    assertLive: () => {
      if (gone) throw new FeaturemapError("lost", "The GPU device was lost.");
    },
  };
  const pipelines = new PipelineCache(live);
  return { device, lose: () => lose(), pipelines, runtime: { ...live, pipelines } as unknown as Runtime };
}

const shader = (entryPoint: string): Specialized => ({
  code: `fn ${entryPoint}() {}`,
  entryPoint,
  workgroupSize: [1, 1, 1],
  bindings: [],
});

function plan(...kernels: string[]): Plan {
  const steps = kernels.map((kernel) => ({
    node: `${kernel}_1`,
    kernel,
    buffers: [],
    workgroups: [1, 1, 1],
    shader: shader(kernel),
  }));
  return { name: "training step", buffers: [], steps, bufferOf: new Map() } as unknown as Plan;
}

/** What a promise comes to while time passes. */
async function outcome(promise: Promise<unknown>, ms: number): Promise<unknown> {
  let end: unknown = "pending";
  promise.then(
    () => {
      end = "ready";
    },
    (error: unknown) => {
      end = error;
    },
  );
  await vi.advanceTimersByTimeAsync(ms);
  return end;
}

describe("a pipeline that never compiles", () => {
  it("ends in an error that names the kernel, the node, the time and the remedy, and may be asked for again", async () => {
    const { pipelines } = fakeDevice({ conv2d: never });
    const asked = pipelines.get(shader("conv2d"), "conv2d_1");
    const end = outcome(asked, MAX_COMPILE_MS - 1);
    expect(await end).toBe("pending");
    const error = await outcome(asked, 1);
    expect(error).toMatchObject({ code: "device" });
    expect((error as Error).message).toMatch(/did not finish kernel "conv2d" of "conv2d_1" in 120 s\. Use another/);
    expect(pipelines.size).toBe(0);
  });

  it("is told from pipelines that wait for each other: the time runs from the last that became ready", async () => {
    const { pipelines } = fakeDevice({
      slow: () => after(MAX_COMPILE_MS - 10, () => ({})),
      slower: () => after(2 * MAX_COMPILE_MS - 30, () => ({})),
      stuck: never,
    });
    const slower = pipelines.get(shader("slower"));
    const stuck = pipelines.get(shader("stuck"));
    pipelines.get(shader("slow"));
    expect(await outcome(slower, 2 * MAX_COMPILE_MS)).toBe("ready");
    expect(await outcome(stuck, MAX_COMPILE_MS - 31)).toBe("pending");
    expect(await outcome(stuck, 1)).toMatchObject({ code: "device" });
  });

  it("is `lost` where the device goes meanwhile, though the browser never answers", async () => {
    const { pipelines, lose } = fakeDevice({ conv2d: never });
    const asked = pipelines.get(shader("conv2d"));
    setTimeout(lose, 50);
    expect(await outcome(asked, 50)).toMatchObject({ code: "lost" });
  });
});

describe("a device that is lost while it compiles", () => {
  it.each(["createComputePipelineAsync", "popErrorScope", "getCompilationInfo"])(
    "is `lost`, whatever is refused first: %s",
    async (refused) => {
      const { device, pipelines, lose } = fakeDevice({
        conv2d: refused === "popErrorScope" ? never : () => after(5, refuse("OperationError")),
      });
      if (refused === "popErrorScope") device.popErrorScope = () => after(5, refuse("OperationError"));
      if (refused === "getCompilationInfo")
        device.createShaderModule = () => ({ getCompilationInfo: () => after(200, refuse("OperationError")) });
      setTimeout(lose, refused === "getCompilationInfo" ? 250 : 60);
      expect(await outcome(pipelines.get(shader("conv2d")), 500)).toMatchObject({ code: "lost" });
    },
  );

  it("leaves no promise that nobody hears", async () => {
    const unheard = vi.fn();
    process.on("unhandledRejection", unheard);
    const { device, pipelines, lose } = fakeDevice({ conv2d: () => after(20, refuse("OperationError")) });
    device.popErrorScope = () => after(5, refuse("OperationError"));
    setTimeout(lose, 30);
    expect(await outcome(pipelines.get(shader("conv2d")), 500)).toMatchObject({ code: "lost" });
    vi.useRealTimers();
    await new Promise((resolve) => setTimeout(resolve, 5));
    process.off("unhandledRejection", unheard);
    expect(unheard).not.toHaveBeenCalled();
    vi.useFakeTimers();
  });

  it("that is not lost after all, says what the compiler refused, even where it tells no more", async () => {
    const { device, pipelines } = fakeDevice({ conv2d: () => after(5, refuse("GPUPipelineError")) });
    device.createShaderModule = () => ({ getCompilationInfo: () => after(5, refuse("OperationError")) });
    const error = await outcome(pipelines.get(shader("conv2d")), 500);
    expect(error).toMatchObject({ code: "device" });
    expect((error as Error).message).toMatch(/kernel "conv2d" does not compile on this device:\n {2}Instance dropped/);
  });
});

describe("who waits for a plan", () => {
  it("is told by the console once what compiles, after 5 s, where nobody listens to the progress", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    const { runtime, lose } = fakeDevice({
      quick: () => after(10, () => ({})),
      slow: () => after(7000, () => ({})),
      stuck: never,
    });
    const prepared = prepare(runtime, plan("quick", "slow", "stuck"));
    await outcome(prepared, 5009);
    expect(warn).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    const words =
      'featuremap: training step: the GPU\'s compiler is at it for 5 s: slow of "slow_1", stuck of "stuck_1"';
    expect(warn.mock.calls).toEqual([[words]]);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(warn).toHaveBeenCalledTimes(1);
    lose();
    expect(await outcome(prepared, 0)).toMatchObject({ code: "lost" });
  });

  it("is told by onProgress each 5 s, and the console is silent; the limit ends the call", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    const { runtime } = fakeDevice({ quick: () => after(10, () => ({})), stuck: never });
    const seen: CompileProgress[] = [];
    const onProgress = (progress: CompileProgress) => void seen.push(progress);
    const prepared = prepare(runtime, plan("quick", "stuck"), { onProgress });
    await outcome(prepared, 10_010);
    const common = { plan: "training step", compiled: 1, total: 2 };
    expect(seen.slice(2)).toEqual(
      [5, 10].map((seconds) => ({ ...common, waiting: { seconds, kernels: ['stuck of "stuck_1"'] } })),
    );
    expect(await outcome(prepared, MAX_COMPILE_MS - 10_000)).toMatchObject({ code: "device" });
    expect(warn).not.toHaveBeenCalled();
  });

  it("ends the wait by an onProgress that throws, at once and for good", async () => {
    const { runtime } = fakeDevice({ quick: () => after(8000, () => ({})), slow: () => after(9000, () => ({})) });
    const onProgress = vi.fn(({ waiting }: CompileProgress) => {
      if (waiting) throw new Error("enough");
    });
    expect(await outcome(prepare(runtime, plan("quick", "slow"), { onProgress }), 5000)).toMatchObject({
      message: "enough",
    });
    await vi.advanceTimersByTimeAsync(20_000);
    expect(onProgress).toHaveBeenCalledTimes(2);
  });

  it("is told nothing more once a pipeline has failed, though others become ready", async () => {
    const { runtime } = fakeDevice({
      quick: () => after(10, () => ({})),
      refused: () => after(20, refuse("GPUPipelineError")),
      slow: () => after(2000, () => ({})),
      slower: () => after(9000, () => ({})),
    });
    const onProgress = vi.fn();
    const prepared = prepare(runtime, plan("quick", "refused", "slow", "slower"), { onProgress });
    expect(await outcome(prepared, 1000)).toMatchObject({ code: "device" });
    expect(onProgress).toHaveBeenCalledTimes(2);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(onProgress).toHaveBeenCalledTimes(2);
  });
});
