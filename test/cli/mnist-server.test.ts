import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createServer } from "vite";
import { describe, expect, it } from "vitest";
import { findMnist, sampleDigits } from "../../cli/mnist.ts";
import { serveMnist } from "../../cli/mnist-server.ts";
import { parseIdx } from "../../src/index.ts";

const file = (name: string) => parseIdx(readFileSync(join(findMnist(), name))).data as Uint8Array;

describe("sample digits", () => {
  it("are the first test image of each digit", () => {
    const [images, labels] = [file("t10k-images-idx3-ubyte"), file("t10k-labels-idx1-ubyte")];
    const digits = sampleDigits(findMnist());
    expect(digits).toHaveLength(7840);
    for (let digit = 0; digit < 10; digit++) {
      const first = labels.indexOf(digit);
      expect([...digits.subarray(784 * digit, 784 * (digit + 1))]).toEqual([
        ...images.subarray(784 * first, 784 * (first + 1)),
      ]);
    }
  });

  it("are served beside MNIST's files", async () => {
    const server = await createServer({
      configFile: false,
      logLevel: "silent",
      appType: "custom",
      optimizeDeps: { noDiscovery: true },
      plugins: [serveMnist()],
      server: { host: "127.0.0.1", port: 0, ws: false, watch: null },
    });
    try {
      await server.listen();
      const answer = await fetch(`${server.resolvedUrls!.local[0]}mnist/sample-digits?1`);
      expect(answer.headers.get("content-length")).toBe("7840");
      expect(new Uint8Array(await answer.arrayBuffer())).toEqual(sampleDigits(findMnist()));
    } finally {
      await server.close();
    }
  });
});
