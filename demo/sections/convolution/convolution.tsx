import { signal } from "@preact/signals";
import type { Image } from "../../engine/lab.ts";
import { engine, engineReady } from "../../state/engine.ts";
import { PixelGrid } from "../../ui/pixel-grid.tsx";
import { Section } from "../../ui/section.tsx";

const image: Image = { rows: 8, columns: 8, values: Float32Array.from({ length: 64 }, (_, i) => (i % 8 > 3 ? 1 : 0)) };
const kernel: Image = { rows: 3, columns: 3, values: Float32Array.of(-1, 0, 1, -2, 0, 2, -1, 0, 1) };
const map = signal<Image | undefined>(undefined);

void engineReady.then(async () => {
  map.value = await engine.convolve({ image, kernel, stride: 1, padding: "valid" });
});

export function Convolution() {
  return (
    <Section id="convolution" title="Convolution" intro={<p>A kernel slides over the input.</p>}>
      <div class="figures">
        <PixelGrid {...image} label="Input" palette="input" numbers />
        <PixelGrid {...kernel} label="Kernel" palette="kernel" numbers />
        {map.value && <PixelGrid {...map.value} label="Feature map" palette="map" numbers />}
      </div>
    </Section>
  );
}
