import { useEffect, useRef } from "preact/hooks";
import { MapRoom } from "../../ui/map-room.tsx";
import { PixelGrid } from "../../ui/pixel-grid.tsx";
import { Player } from "../../ui/player.tsx";
import { Section } from "../../ui/section.tsx";
import { Input } from "./input.tsx";
import { KernelEditor } from "./kernel-editor.tsx";
import { beginWhenSeen } from "./opening.ts";
import { Products } from "./products.tsx";
import { map, walk } from "./state.ts";

export function Convolution() {
  const figures = useRef<HTMLDivElement>(null);
  useEffect(() => beginWhenSeen(figures.current!), []);
  return (
    <Section
      id="convolution"
      title="Convolution"
      intro={
        <p>
          A kernel is a small square of weights. It slides over the image; at each place, every pixel under it is
          multiplied by its weight, and the products are added. The sums make a new image, the feature map: it says
          where the image looks like the kernel. Move the kernel with the pointer or the arrow keys, on the input or on
          the map.
        </p>
      }
    >
      <div class="sheet lab" ref={figures}>
        <Player walk={walk} name="kernel" />
        <div class="figures">
          <Input />
          <KernelEditor />
          <FeatureMap />
        </div>
      </div>
    </Section>
  );
}

function FeatureMap() {
  const answer = map.value;
  const found = answer?.value;
  const { rows, columns } = found ?? walk.places.value;
  const late = rows !== walk.places.value.rows;
  return (
    <figure id="convolution-map" data-rows={found?.rows} data-columns={found?.columns}>
      <figcaption>
        Feature map: {rows} × {columns}
      </figcaption>
      <MapRoom rows={rows} columns={columns} error={answer?.error} late={late}>
        {found && (
          <PixelGrid
            {...found}
            label="Feature map, with the kernel's place on it"
            palette="map"
            numbers
            shown={late ? rows * columns : walk.visited.value}
            frame={late ? undefined : walk.mapFrame.value}
            onCell={(cell) => walk.overMap(cell)}
          />
        )}
      </MapRoom>
      <p class="signs stack">
        <span class="swatch positive" /> positive <span class="swatch negative" /> negative
      </p>
      <Products />
    </figure>
  );
}
