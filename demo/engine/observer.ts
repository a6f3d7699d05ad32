// Looks into the network while it learns: its kernels, and its feature maps of one digit, drawn from where they are.

import {
  createProbe,
  type Model,
  type ParameterBuffer,
  type Probe,
  parameterBuffers,
  tensor,
} from "../../src/index.ts";
import { IMAGE_PIXELS, IMAGE_SHAPE } from "../network.ts";
import { tellUnlessGone } from "./lost.ts";
import type { Mnist, Split } from "./mnist.ts";
import { type Easel, Painter, type Placing } from "./painter.ts";
import type { PictureFacts } from "./pictures.ts";
import type { Session } from "./session.ts";
import { copiedSurface, directSurface } from "./surface.ts";

/** Between two drawings, in ms. */
const DRAW_MS = { gpu: 100, software: 500 };

/** How a picture becomes visible. */
export type Way = "direct" | "copied";

interface Picture {
  readonly canvas: OffscreenCanvas;
  readonly facts: PictureFacts;
  readonly way: Way | undefined;
  /** `undefined` until the page has told it. */
  placing: Placing | undefined;
  visible: boolean;
  /** Of the device of now. */
  easel: Easel | undefined;
}

/** A model that is being looked into. */
interface Subject {
  readonly painter: Painter;
  readonly probe: Probe;
  readonly parameters: readonly ParameterBuffer[];
  readonly test: Split;
  readonly software: boolean;
}

export interface Observer {
  /** What the page may call. */
  readonly api: ReturnType<typeof apiOf>;
  /** Draws, if the last drawing is long enough ago. To be called while the weights change. */
  tick(): void;
}

interface Looks {
  readonly pictures: Map<number, Picture>;
  digit: number;
  draw(): void;
}

export function createObserver(session: Session, mnist: Mnist): Observer {
  let model: Model | undefined;
  let subject: Subject | undefined;
  let preparing = false;
  /** Cannot be looked into, and the page was told why. */
  let refused: Model | undefined;
  let drawn = 0;
  const looks: Looks = { pictures: new Map(), digit: 0, draw };

  session.onModel((next) => {
    model = next;
    subject?.probe.dispose();
    subject = undefined;
    for (const picture of looks.pictures.values()) putAway(picture);
  });
  session.onWeights(() => {
    prepare();
    draw();
  });

  /** Not before the weights have changed: compiling would keep the training from its begin. */
  function prepare(): void {
    if (!model || model === refused || subject || preparing) return;
    preparing = true;
    const wanted = model;
    const { lost } = wanted.runtime!;
    subjectOf(wanted, mnist)
      .then((made) => {
        if (model !== wanted) return made.probe.dispose();
        subject = made;
        draw();
      })
      .catch((error: unknown) => refuse(wanted, lost, error))
      .finally(() => {
        preparing = false;
      });
  }

  async function refuse(asked: Model | undefined, lost: Promise<unknown>, error: unknown): Promise<void> {
    if (await tellUnlessGone(error, lost)) refused = asked;
  }

  function draw(): void {
    if (!subject) return;
    drawn = performance.now();
    const seen = [...looks.pictures.values()].filter(({ placing, visible, easel }) => placing && (visible || !easel));
    if (seen.length === 0) return;
    const seenBy = subject;
    try {
      paintAll(seenBy, seen, looks.digit);
    } catch (error) {
      subject = undefined;
      void refuse(model, seenBy.painter.device.lost, error);
    }
  }

  return {
    api: apiOf(looks),
    tick() {
      prepare();
      if (subject && performance.now() - drawn >= DRAW_MS[subject.software ? "software" : "gpu"]) draw();
    },
  };
}

function apiOf(looks: Looks) {
  const { pictures } = looks;
  return {
    /** Takes a canvas to draw on until `removePicture`. Way: by default, `direct` on a GPU. */
    addPicture(id: number, facts: PictureFacts, canvas: OffscreenCanvas, way?: Way): void {
      pictures.set(id, { canvas, facts, way, placing: undefined, visible: false, easel: undefined });
    },
    /** Out of sight, a picture is drawn once, and not kept up. */
    placePicture(id: number, placing: Placing, visible: boolean): void {
      const picture = pictures.get(id);
      if (!picture) return;
      Object.assign(picture, { placing, visible });
      if (visible) looks.draw();
    },
    removePicture(id: number): void {
      const picture = pictures.get(id);
      if (picture) putAway(picture);
      pictures.delete(id);
    },
    /** Whose feature maps are drawn. `index` is of the test images. */
    lookAtDigit(index: number): void {
      looks.digit = index;
      looks.draw();
    },
  };
}

async function subjectOf(model: Model, mnist: Mnist): Promise<Subject> {
  const test = await mnist.test();
  const runtime = model.runtime!;
  const maps = model.layers.filter(({ outputShape }) => outputShape.length === 3).map(({ name }) => name);
  const probe = await createProbe(model, { outputs: maps });
  const parameters = await parameterBuffers(model);
  return { painter: new Painter(runtime.device), probe, parameters, test, software: runtime.adapter.software };
}

function paintAll(
  { painter, probe, parameters, test, software }: Subject,
  pictures: readonly Picture[],
  digit: number,
): void {
  if (pictures.some(({ facts }) => facts.kind === "maps")) {
    const pixels = test.images.subarray(digit * IMAGE_PIXELS, (digit + 1) * IMAGE_PIXELS);
    probe.run(tensor(pixels, [1, ...IMAGE_SHAPE], { scale: 1 / 255 }));
  }
  const encoder = painter.device.createCommandEncoder({ label: "pictures" });
  const shows: (() => void)[] = [];
  for (const picture of pictures) {
    const { facts, placing, canvas, way = software ? "copied" : "direct" } = picture;
    const values = bufferOf(facts, probe, parameters);
    if (!values) continue; // A picture of the network before, about to be removed.
    const surfaceOf = way === "direct" ? directSurface : copiedSurface;
    picture.easel ??= painter.easel(surfaceOf(painter.device, canvas));
    const show = picture.easel.paint(encoder, values, facts, placing!);
    if (show) shows.push(show);
  }
  painter.device.queue.submit([encoder.finish()]);
  for (const show of shows) show();
}

function bufferOf({ kind, layer, all }: PictureFacts, probe: Probe, parameters: readonly ParameterBuffer[]) {
  if (kind === "kernels") {
    return parameters.find(({ name, shape }) => name === `${layer}/kernel` && shape.at(-1) === all)?.buffer;
  }
  const made = probe.buffers.get(layer);
  return made?.shape.at(-1) === all ? made.buffer : undefined;
}

function putAway(picture: Picture): void {
  picture.easel?.dispose();
  picture.easel = undefined;
}
