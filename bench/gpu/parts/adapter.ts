// What the device is: its adapter, its limits and its features.

import { createRuntime } from "../../../src/gpu/runtime.ts";
import { adapterClassOf } from "../../../src/plan/shipped-tiles.ts";
import { measureOverheads } from "../overheads.ts";
import { runPart } from "../part.ts";

await runPart("adapter", async ({ save, say }) => {
  const adapter = await navigator.gpu.requestAdapter();
  if (!adapter) throw new Error("There is no adapter.");
  const runtime = await createRuntime();
  const overheads = await measureOverheads(runtime);
  save({
    overheads,
    adapter: runtime.adapter,
    info: Object.fromEntries(namesOf(adapter.info).map((name) => [name, adapter.info[name as "vendor"]])),
    adapterClass: adapterClassOf(runtime),
    features: [...adapter.features].sort(),
    enabled: [...runtime.device.features].sort(),
    limits: Object.fromEntries(
      namesOf(adapter.limits).map((name) => [name, Number(adapter.limits[name as "maxBufferSize"])]),
    ),
    languageFeatures: [...(navigator.gpu.wgslLanguageFeatures ?? [])].sort(),
  });
  say(runtime.adapter.label);
  say(JSON.stringify(overheads));
  say([...adapter.features].sort().join(" "));
});

/** The names of an object's values, where they are getters of its prototype too. */
function namesOf(object: object): string[] {
  const names = [...Object.keys(object), ...Object.getOwnPropertyNames(Object.getPrototypeOf(object))];
  const isValue = (name: string) => ["string", "number", "boolean"].includes(typeof (object as never)[name]);
  return [...new Set(names)].filter(isValue);
}
