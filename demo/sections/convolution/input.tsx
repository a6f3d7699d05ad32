import { asMnist } from "../../ui/as-mnist.ts";
import { Camera } from "../../ui/camera.tsx";
import { Chips } from "../../ui/chips.tsx";
import { DigitPicker } from "../../ui/digit-picker.tsx";
import { DrawingPad } from "../../ui/drawing-pad.tsx";
import { UNIT_RANGE } from "../../ui/palette.ts";
import { PixelGrid } from "../../ui/pixel-grid.tsx";
import { cameraImage, chooseDigit, chooseSource, digit, drawing, input, type Source, source, walk } from "./state.ts";

const SOURCES = [
  { value: "shape", label: "Shape" },
  { value: "digit", label: "Digit" },
  { value: "drawing", label: "Drawing" },
  { value: "camera", label: "Camera" },
] as const satisfies readonly { value: Source; label: string }[];

export function Input() {
  return (
    <figure>
      <InputGrid />
      <div class="stack">
        <Chips label="Input" value={source.value} options={SOURCES} onChange={chooseSource} />
        <Choice />
      </div>
    </figure>
  );
}

function InputGrid() {
  const { rows, columns } = input.value;
  return (
    <>
      <figcaption>
        Input: {rows} × {columns} pixels
      </figcaption>
      <PixelGrid
        {...input.value}
        label="Input, with the kernel's frame on it"
        palette="input"
        range={UNIT_RANGE}
        numbers
        frame={walk.frame.value}
        onCell={(cell) => walk.overInput(cell)}
      />
    </>
  );
}

function Choice() {
  switch (source.value) {
    case "shape":
      return <p class="answers">Small, so that its numbers can be read.</p>;
    case "digit":
      return <DigitPicker value={digit.value} onChange={chooseDigit} />;
    case "drawing":
      return <DrawingPad label="Draw the input" onInk={draw} />;
    case "camera":
      return (
        <Camera
          onImage={(image) => {
            cameraImage.value = image;
          }}
        />
      );
  }
}

function draw(ink: ImageData | undefined): void {
  drawing.value = { rows: 28, columns: 28, values: ink ? asMnist(ink) : new Float32Array(784) };
}
