import { defineConfig } from "vitest/config";
import { leanShaders } from "../../cli/lean-shaders.ts";

/** Tests of kernels, run by Deno on llvmpipe; `npm run test:llvmpipe` starts it. */
export default defineConfig({
  plugins: [leanShaders()],
  test: {
    name: "llvmpipe",
    root: new URL("../..", import.meta.url).pathname,
    include: [
      "test/**/{batch,choices,conv2d,conv2d-average-pooling,conv2d-pooling,dense,dense-cross-entropy,elementwise,extension}.gpu.test.ts",
      "test/**/{hoisted,many-rows,matmul,merge-dispatches,non-finite,non-finite-fused,pooling2d,shared,softmax,winograd,winograd-step}.gpu.test.ts",
    ],
    setupFiles: ["test/llvmpipe/setup.ts"],
    // Vitest's threads do not start in Deno.
    pool: "forks",
    fileParallelism: false,
    // A pipeline takes llvmpipe up to half a minute.
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});
