import { describe, expect, it } from "vitest";
import type { FeaturemapError } from "../../src/base/errors.ts";
import { limitRemedy } from "../../src/gpu/limit.ts";
import { adapterSummary, Runtime } from "../../src/gpu/runtime.ts";
import { assertFeatures, assertWithinLimits, maxBufferBytes, type PlanLimits } from "../../src/plan/limits.ts";
import { Plan, type PlanBuffer, type PlanStep } from "../../src/plan/plan.ts";
import { failure } from "../support/building.ts";
import { fakeDevice } from "../support/fake-device.ts";

const LIMITS: PlanLimits = {
  maxBufferSize: 1000,
  maxStorageBufferBindingSize: 900,
  maxStorageBuffersPerShaderStage: 8,
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupStorageSize: 16384,
  maxComputeWorkgroupsPerDimension: 65535,
};

interface Needs {
  readonly bytes?: number;
  readonly bound?: number;
  readonly bindings?: number;
  readonly workgroupSize?: number;
  readonly shared?: string;
  readonly workgroups?: readonly [number, number, number];
}

/** A plan of one dispatch that is within the limits, but for what a test changes. */
function planOf({
  bytes = 900,
  bound,
  bindings = 8,
  workgroupSize = 256,
  shared = "array<vec4f, 1024>",
  workgroups = [65535, 65535, 65535],
}: Needs) {
  const buffer: PlanBuffer = { label: "dense/kernel", bytes, ...(bound === undefined ? {} : { bound }) };
  const list = Array.from({ length: bindings }, (_, i) => ({ name: `b${i}`, access: "read" as const }));
  const code = `var<workgroup> shared: ${shared};`;
  const shader = { code, entryPoint: "matmul", workgroupSize: [workgroupSize, 1, 1] as const, bindings: list };
  const step: PlanStep = { node: "dense_1", kernel: "matmul", shader, buffers: list.map(() => 0), workgroups };
  return new Plan({ name: "training step", buffers: [buffer], steps: [step], bufferOf: new Map(), choices: {} });
}

describe("assertWithinLimits", () => {
  it("takes a plan that needs exactly what there is", () => {
    expect(() => assertWithinLimits(planOf({}), LIMITS)).not.toThrow();
  });

  it.each<[keyof PlanLimits, Needs, Partial<PlanLimits>, number]>([
    ["maxBufferSize", { bytes: 1001 }, { maxStorageBufferBindingSize: 5000 }, 1001],
    ["maxStorageBufferBindingSize", { bytes: 904 }, {}, 904],
    ["maxStorageBufferBindingSize", { bytes: 904, bound: 3 }, {}, 904],
    ["maxStorageBuffersPerShaderStage", { bindings: 9 }, {}, 9],
    ["maxComputeInvocationsPerWorkgroup", { workgroupSize: 257 }, {}, 257],
    ["maxComputeWorkgroupStorageSize", { shared: "array<vec4f, 1025>" }, {}, 16400],
    ["maxComputeWorkgroupStorageSize", { shared: "mat4x4f" }, { maxComputeWorkgroupStorageSize: 32 }, 64],
    ["maxComputeWorkgroupsPerDimension", { workgroups: [65536, 1, 1] }, {}, 65536],
    ["maxComputeWorkgroupsPerDimension", { workgroups: [1, 70000, 1] }, {}, 70000],
    ["maxComputeWorkgroupsPerDimension", { workgroups: [1, 1, 80000] }, {}, 80000],
  ])("says what needs how much of %s, and how much there is: %j", (name, needs, changed, needed) => {
    const limits = { ...LIMITS, ...changed };
    const { code, message } = failure(() => assertWithinLimits(planOf(needs), limits));
    expect(code).toBe("limit");
    const what =
      name.includes("BufferSize") || name.includes("BindingSize") ? ['"dense/kernel"'] : ['"matmul"', '"dense_1"'];
    for (const text of [name, String(needed), String(limits[name]), "training step", ...what]) {
      expect(message).toContain(text);
    }
    expect(message).toMatch(/smaller batch|adapter that allows more/);
  });

  it("tells of requiredLimits where the device is the app's, and not where it has all that there is", () => {
    const plan = planOf({ bindings: 9 });
    const asked = "requestDevice({ requiredLimits: { maxStorageBuffersPerShaderStage: 9 } })";
    expect(failure(() => assertWithinLimits(plan, LIMITS, false)).message).toContain(asked);
    const own = failure(() => assertWithinLimits(plan, LIMITS, true)).message;
    expect(own).not.toContain("requiredLimits");
    expect(own).toContain("an adapter that allows more");
  });

  it("looks at every buffer and every dispatch", () => {
    const good = planOf({});
    const bad = planOf({ bytes: 904, bindings: 9 });
    const both = (part: Partial<Plan>) =>
      new Plan({ ...good, bufferOf: new Map(), choices: {}, name: "p", ...part } as Plan);
    const buffers = both({ buffers: [...good.buffers, ...bad.buffers] });
    expect(failure(() => assertWithinLimits(buffers, LIMITS)).message).toContain("904");
    const steps = both({ steps: [...good.steps, ...bad.steps] });
    expect(failure(() => assertWithinLimits(steps, LIMITS)).message).toContain("9");
  });
});

describe("a buffer that a device does not allow", () => {
  const refusal = async (bytes: number, ownsDevice: boolean) => {
    const device = fakeDevice({ maxBufferSize: 1000, maxStorageBufferBindingSize: 900 });
    const { buffers } = new Runtime(device, adapterSummary(), ownsDevice);
    const error = await buffers.createOne({ label: "samples", bytes }).catch((error: unknown) => error);
    return error as FeaturemapError;
  };

  it("names the limits that are too small, and what to ask for", async () => {
    const both = await refusal(1004, false);
    expect(both.code).toBe("limit");
    expect(both.message).toBe(
      '"samples" needs a buffer of 1004 bytes, but this device\'s maxBufferSize is 1000 and maxStorageBufferBindingSize is 900. ' +
        "Use a smaller batch size, data set or network, or make the device by " +
        "requestDevice({ requiredLimits: { maxBufferSize: 1004, maxStorageBufferBindingSize: 1004 } }), if its adapter allows that.",
    );
    const one = await refusal(904, false);
    expect(one.message).toContain("requiredLimits: { maxStorageBufferBindingSize: 904 }");
  });

  it("of the library's own is the adapter's", async () => {
    expect((await refusal(1004, true)).message).not.toContain("requiredLimits");
  });
});

describe("assertFeatures", () => {
  it("tells of requiredFeatures where the device is the app's", () => {
    const message = (ownsDevice: boolean) => failure(() => assertFeatures(quads(), new Set(), ownsDevice)).message;
    expect(message(false)).toContain('requiredFeatures: ["subgroups"]');
    expect(message(true)).not.toContain("requiredFeatures");
  });

  const quads = () => {
    const plan = planOf({ shared: "f32" });
    const [step] = plan.steps;
    const shader = { ...step!.shader, code: `enable subgroups;\n${step!.shader.code}` };
    return new Plan({ ...plan, steps: [{ ...step!, shader }] });
  };

  it("refuses quads, by the node's name, where the device has no subgroups", () => {
    const { code, message } = failure(() => assertFeatures(quads(), new Set()));
    expect(code).toBe("limit");
    expect(message).toContain('training step: kernel "matmul" of "dense_1" needs the feature "subgroups"');
    expect(() => assertFeatures(quads(), new Set(["subgroups"]))).not.toThrow();
    expect(() => assertFeatures(planOf({}), new Set())).not.toThrow();
  });
});

describe("maxBufferBytes", () => {
  it("is the smaller of the two limits, and none where none is known", () => {
    expect(maxBufferBytes(LIMITS)).toBe(900);
    expect(maxBufferBytes({ maxBufferSize: 1000 })).toBe(1000);
    expect(maxBufferBytes()).toBe(Infinity);
  });
});

it("asks no adapter for more than any has", () => {
  expect(limitRemedy(["maxBufferSize"], 2 ** 40)).toContain("requiredLimits: { maxBufferSize: 1099511627776 }");
  for (const owns of [false, true])
    expect(limitRemedy(["maxBufferSize"], 2 ** 40 + 1, owns)).toBe("Use a smaller batch size, data set or network.");
});
