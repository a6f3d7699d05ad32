// Draws numbers that are on the GPU into canvases, by the GPU: nothing is read back.

import code from "./painter.wgsl?raw";
import type { PictureFacts } from "./pictures.ts";

/** 0 to 255. */
type Rgb = readonly [number, number, number];

/** How a picture lies on the page, in device pixels, and in which colours. */
export interface Placing {
  readonly width: number;
  readonly height: number;
  /** Tiles in a row. */
  readonly across: number;
  readonly gap: number;
  /** Of zero, the greatest and the least number. */
  readonly colors: { readonly none: Rgb; readonly most: Rgb; readonly least: Rgb };
}

/** Bytes of `Picture`. */
const UNIFORM_BYTES = 96;

/** A canvas with what its drawing needs on one device. */
export interface Easel {
  /** Records the drawing of a buffer's numbers. */
  paint(encoder: GPUCommandEncoder, values: GPUBuffer, facts: PictureFacts, placing: Placing): void;
  dispose(): void;
}

export class Painter {
  readonly device: GPUDevice;
  readonly #measure: GPUComputePipeline;
  readonly #paint: GPURenderPipeline;
  readonly #format = navigator.gpu.getPreferredCanvasFormat();

  constructor(device: GPUDevice) {
    this.device = device;
    const module = device.createShaderModule({ label: "painter", code });
    this.#measure = device.createComputePipeline({ label: "measure", layout: "auto", compute: { module } });
    this.#paint = device.createRenderPipeline({
      label: "paint",
      layout: "auto",
      vertex: { module },
      fragment: { module, targets: [{ format: this.#format }] },
    });
  }

  easel(canvas: OffscreenCanvas): Easel {
    const { device } = this;
    const context = canvas.getContext("webgpu")!;
    context.configure({ device, format: this.#format, alphaMode: "premultiplied" });
    const uniform = device.createBuffer({
      label: "picture",
      size: UNIFORM_BYTES,
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    });
    const largest = device.createBuffer({ label: "largest", size: 4, usage: GPUBufferUsage.STORAGE });
    return {
      paint: (encoder, values, facts, placing) => {
        // A canvas that is given its size, even the same, is cleared.
        if (canvas.width !== placing.width) canvas.width = placing.width;
        if (canvas.height !== placing.height) canvas.height = placing.height;
        device.queue.writeBuffer(uniform, 0, uniformOf(facts, placing));
        this.#record(encoder, [uniform, values, largest], context.getCurrentTexture());
      },
      dispose() {
        uniform.destroy();
        largest.destroy();
      },
    };
  }

  #record(
    encoder: GPUCommandEncoder,
    [uniform, values, largest]: readonly [GPUBuffer, GPUBuffer, GPUBuffer],
    texture: GPUTexture,
  ): void {
    const bind = (pipeline: GPUComputePipeline | GPURenderPipeline, last: number) =>
      this.device.createBindGroup({
        layout: pipeline.getBindGroupLayout(0),
        entries: [uniform, values, largest].map((buffer, i) => ({ binding: i < 2 ? i : last, resource: { buffer } })),
      });
    const measuring = encoder.beginComputePass({ label: "measure" });
    measuring.setPipeline(this.#measure);
    measuring.setBindGroup(0, bind(this.#measure, 2));
    measuring.dispatchWorkgroups(1);
    measuring.end();
    const attachment = { view: texture.createView(), loadOp: "clear", storeOp: "store" } as const;
    const painting = encoder.beginRenderPass({ label: "paint", colorAttachments: [attachment] });
    painting.setPipeline(this.#paint);
    painting.setBindGroup(0, bind(this.#paint, 3));
    painting.draw(3);
    painting.end();
  }
}

/** As `Picture` lies in memory: vec3f are 16 bytes apart, a vec2 begins at a multiple of 8. */
function uniformOf(
  { tiles, all, rows, columns }: PictureFacts,
  { colors, across, gap, ...size }: Placing,
): ArrayBuffer {
  const bytes = new ArrayBuffer(UNIFORM_BYTES);
  const numbers = new Float32Array(bytes);
  const words = new Uint32Array(bytes);
  [colors.none, colors.most, colors.least].forEach((color, i) => {
    numbers.set(
      color.map((byte) => byte / 255),
      4 * i,
    );
  });
  const down = Math.ceil(tiles / across);
  words.set([columns, rows], 12);
  numbers.set([(size.width + gap) / across, (size.height + gap) / down, gap], 14);
  words.set([tiles, across, all, rows * columns * all], 17);
  return bytes;
}
