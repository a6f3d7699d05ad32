// Draws numbers that are on the GPU, where they are.

import code from "./painter.wgsl?raw";
import type { PictureFacts } from "./pictures.ts";
import type { Surface } from "./surface.ts";

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
  /**
   * Records the drawing of a buffer's numbers, unless the last one is still on its way. Returns what is to be called once it
   * was submitted.
   */
  paint(encoder: GPUCommandEncoder, values: GPUBuffer, facts: PictureFacts, placing: Placing): (() => void) | undefined;
  dispose(): void;
}

export class Painter {
  readonly device: GPUDevice;
  readonly #module: GPUShaderModule;
  readonly #measure: GPUComputePipeline;
  readonly #paint = new Map<GPUTextureFormat, GPURenderPipeline>();

  constructor(device: GPUDevice) {
    this.device = device;
    this.#module = device.createShaderModule({ label: "painter", code });
    this.#measure = device.createComputePipeline({
      label: "measure",
      layout: "auto",
      compute: { module: this.#module },
    });
  }

  easel(surface: Surface): Easel {
    const { device } = this;
    const uniform = device.createBuffer({
      label: "picture",
      size: UNIFORM_BYTES,
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    });
    const largest = device.createBuffer({ label: "largest", size: 4, usage: GPUBufferUsage.STORAGE });
    return {
      paint: (encoder, values, facts, placing) => {
        const texture = surface.begin(placing.width, placing.height);
        if (!texture) return undefined;
        device.queue.writeBuffer(uniform, 0, uniformOf(facts, placing));
        this.#record(encoder, [uniform, values, largest], texture);
        surface.end(encoder);
        return surface.show;
      },
      dispose() {
        surface.dispose();
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
    const pipeline = this.#painting(texture.format);
    const attachment = { view: texture.createView(), loadOp: "clear", storeOp: "store" } as const;
    const painting = encoder.beginRenderPass({ label: "paint", colorAttachments: [attachment] });
    painting.setPipeline(pipeline);
    painting.setBindGroup(0, bind(pipeline, 3));
    painting.draw(3);
    painting.end();
  }

  #painting(format: GPUTextureFormat): GPURenderPipeline {
    const known = this.#paint.get(format);
    if (known) return known;
    const made = this.device.createRenderPipeline({
      label: "paint",
      layout: "auto",
      vertex: { module: this.#module },
      fragment: { module: this.#module, targets: [{ format }] },
    });
    this.#paint.set(format, made);
    return made;
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
