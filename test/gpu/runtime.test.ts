import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { createRuntime } from "../../src/gpu/runtime.ts";
import { fakeDevice, LEAST } from "../support/fake-device.ts";

/** What `createRuntime` asks of an adapter with these features. */
async function asked(features: readonly string[]): Promise<GPUDeviceDescriptor> {
  const requests: GPUDeviceDescriptor[] = [];
  const requestDevice = async (request: GPUDeviceDescriptor) => {
    requests.push(request);
    return fakeDevice();
  };
  const adapter = { features: new Set(features), limits: LEAST, info: {}, requestDevice };
  await createRuntime({ gpu: { requestAdapter: async () => adapter } as unknown as GPU });
  expect(requests).toHaveLength(1);
  return requests[0]!;
}

/** The features that the shaders enable. */
function enabled(): Set<string> {
  const folder = fileURLToPath(new URL("../../shaders", import.meta.url));
  const texts = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".wgsl"))
    .map((path) => readFileSync(join(folder, path), "utf8"));
  const names = texts.flatMap((text) => [...text.matchAll(/^enable (\w+);/gm)].map(([, name]) => name!));
  return new Set(names.map((name) => (name === "f16" ? "shader-f16" : name)));
}

describe("createRuntime asks for", () => {
  const all = ["shader-f16", "subgroups", "texture-compression-bc", "timestamp-query", "float32-filterable"];

  it("the features that a shader enables, and for timestamps: nothing that is not used", async () => {
    expect(enabled().size).toBeGreaterThan(0);
    const { requiredFeatures } = await asked(all);
    expect([...requiredFeatures!].sort()).toEqual([...enabled(), "timestamp-query"].sort());
  });

  it("no feature that the adapter does not have", async () => {
    expect((await asked(["subgroups"])).requiredFeatures).toEqual(["subgroups"]);
    expect((await asked([])).requiredFeatures).toEqual([]);
  });
});
