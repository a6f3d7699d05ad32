// Where a picture becomes visible: a canvas that the GPU draws on itself or, on a software adapter, one that is copied to.

/** What a picture is drawn on. */
export interface Surface {
  /** Of a size in pixels; `undefined` while the last drawing is on its way. */
  begin(width: number, height: number): GPUTexture | undefined;
  /** Records what comes after the drawing. */
  end(encoder: GPUCommandEncoder): void;
  /** Once that was submitted. */
  show(): void;
  dispose(): void;
}

/** The GPU's own: nothing is read back. */
export function directSurface(device: GPUDevice, canvas: OffscreenCanvas): Surface {
  const format = navigator.gpu.getPreferredCanvasFormat();
  const context = canvas.getContext("webgpu")!;
  context.configure({ device, format, alphaMode: "premultiplied" });
  return {
    begin(width, height) {
      resize(canvas, width, height);
      return context.getCurrentTexture();
    },
    end() {},
    show() {},
    dispose: () => context.unconfigure(),
  };
}

/**
 * By way of a buffer. A browser without a GPU has no way to show what a software adapter draws: Chromium's ends the whole
 * process of the device when a canvas is configured for it. The pixels are in the processor's memory anyway.
 */
export function copiedSurface(device: GPUDevice, canvas: OffscreenCanvas): Surface {
  const context = canvas.getContext("2d")!;
  let made: { readonly texture: GPUTexture; readonly pixels: GPUBuffer; readonly stride: number } | undefined;
  let showing = false;

  function free(): void {
    made?.texture.destroy();
    made?.pixels.destroy();
    made = undefined;
  }

  function make(width: number, height: number) {
    const usage = GPUTextureUsage.RENDER_ATTACHMENT | GPUTextureUsage.COPY_SRC;
    const stride = Math.ceil((width * 4) / 256) * 256;
    return {
      texture: device.createTexture({ label: "picture", size: [width, height], format: "rgba8unorm", usage }),
      pixels: device.createBuffer({
        label: "picture",
        size: stride * height,
        usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ,
      }),
      stride,
    };
  }

  return {
    begin(width, height) {
      if (showing) return undefined;
      if (made?.texture.width !== width || made.texture.height !== height) {
        free();
        made = make(width, height);
      }
      return made!.texture;
    },
    end(encoder) {
      const { texture, pixels: buffer, stride: bytesPerRow } = made!;
      encoder.copyTextureToBuffer({ texture }, { buffer, bytesPerRow }, [texture.width, texture.height]);
    },
    show() {
      const { texture, pixels, stride } = made!;
      const { width, height } = texture;
      showing = true;
      pixels
        .mapAsync(GPUMapMode.READ)
        .then(() => {
          const padded = new Uint8Array(pixels.getMappedRange());
          const image = new ImageData(width, height);
          for (let row = 0; row < height; row++) {
            image.data.set(padded.subarray(row * stride, row * stride + width * 4), row * width * 4);
          }
          pixels.unmap();
          resize(canvas, width, height);
          context.putImageData(image, 0, 0);
        })
        .catch(() => {}) // Lost or put away meanwhile.
        .finally(() => {
          showing = false;
        });
    },
    dispose: free,
  };
}

/** A canvas that is given a size, even the one it has, is cleared. */
function resize(canvas: OffscreenCanvas, width: number, height: number): void {
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
}
