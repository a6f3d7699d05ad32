import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";
import { leanShaders } from "../cli/lean-shaders.ts";
import { bundleMnist, serveMnist } from "../cli/mnist-server.ts";
import { offline } from "./offline/offline.ts";
import { contentPolicy } from "./policy.ts";

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

export default defineConfig({
  root: path("."),
  // Relative, so that the built page works in any folder of any server.
  base: "./",
  plugins: [leanShaders(), serveMnist(), bundleMnist(), contentPolicy(), offline()],
  worker: { format: "es", plugins: () => [leanShaders()] },
  server: { fs: { allow: [path("..")] } },
  build: { outDir: path("../build/demo"), emptyOutDir: true, target: "es2022" },
});
