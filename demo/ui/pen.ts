// What draws on a pad: a pointer while it is pressed, or a pen that arrow keys move.

import { type Ink, PAD_SIDE, type Point } from "./ink.ts";

type PadPointer = PointerEvent & { readonly currentTarget: HTMLElement };

export interface Pen {
  pressed(event: PadPointer): void;
  moved(event: PadPointer): void;
  released(event: PadPointer): void;
  keyDown(event: KeyboardEvent): void;
  keyUp(event: KeyboardEvent): void;
  /** The keys go elsewhere. */
  leave(): void;
  clear(): void;
  /** Calls `paint`, then draws the keys' pen over it while the keys are in use. */
  paintOn(canvas: HTMLCanvasElement, paint: () => void): void;
}

/** One arrow key's step: a cell of the 28x28 that a network sees. */
const STEP = PAD_SIDE / 28;
const ARROWS: Readonly<Record<string, Point>> = {
  ArrowUp: { x: 0, y: -STEP },
  ArrowDown: { x: 0, y: STEP },
  ArrowLeft: { x: -STEP, y: 0 },
  ArrowRight: { x: STEP, y: 0 },
};

/**
 * @param show Asks for a frame; `true` where the ink changed.
 * @param say What the keys did, for who does not see it.
 */
export function createPen(ink: Ink, show: (changed: boolean) => void, say: (words: string) => void): Pen {
  let pointer: { readonly id: number; at: Point } | undefined;
  let at: Point = { x: PAD_SIDE / 2, y: PAD_SIDE / 2 };
  let keys = false;
  let down = false;
  /** Space was held while the pen moved: letting it go lifts the pen. */
  let dragged = false;
  const held = new Set<string>();

  function draw(from: Point, to: Point): void {
    ink.line(from, to);
    show(true);
  }

  function put(isDown: boolean): void {
    down = isDown;
    say(isDown ? "Pen down" : "Pen up");
    if (isDown) draw(at, at);
    else show(false);
  }

  function step(): void {
    let { x, y } = at;
    for (const key of held) {
      x += ARROWS[key]?.x ?? 0;
      y += ARROWS[key]?.y ?? 0;
    }
    const to = { x: within(x), y: within(y) };
    if (down) draw(at, to);
    if (held.has(" ")) dragged = true;
    at = to;
    show(false);
  }

  function clear(): void {
    ink.clear();
    down = false;
    say("Cleared");
    show(true);
  }

  return {
    pressed(event) {
      if (pointer || event.button !== 0) return;
      event.currentTarget.setPointerCapture(event.pointerId);
      keys = false;
      down = false;
      pointer = { id: event.pointerId, at: placeOf(event, event.currentTarget) };
      draw(pointer.at, pointer.at);
    },
    moved(event) {
      if (pointer?.id !== event.pointerId) return;
      const between = event.getCoalescedEvents?.() ?? [];
      for (const each of between.length > 0 ? between : [event]) {
        const to = placeOf(each, event.currentTarget);
        draw(pointer.at, to);
        pointer.at = to;
      }
    },
    released({ pointerId }) {
      if (pointer?.id === pointerId) pointer = undefined;
    },
    keyDown(event) {
      const { key } = event;
      if (key === "Delete" || key === "Backspace") clear();
      else if (key in ARROWS || key === " ") {
        keys = true;
        held.add(key);
        if (key !== " ") step();
        else if (!event.repeat) {
          dragged = false;
          put(!down);
        }
      } else return;
      event.preventDefault();
    },
    keyUp({ key }) {
      held.delete(key);
      if (key === " " && dragged && down) put(false);
    },
    leave() {
      held.clear();
      keys = false;
      down = false;
      show(false);
    },
    clear,
    paintOn(canvas, paint) {
      paint();
      if (keys) ring(canvas, at, down);
    },
  };
}

function within(place: number): number {
  return Math.min(PAD_SIDE, Math.max(0, place));
}

/** In pixels of the picture, outside of it too: a stroke may leave the pad and come back. */
function placeOf({ clientX, clientY }: MouseEvent, paper: HTMLElement): Point {
  const box = paper.getBoundingClientRect();
  return { x: ((clientX - box.left) / box.width) * PAD_SIDE, y: ((clientY - box.top) / box.height) * PAD_SIDE };
}

function ring(canvas: HTMLCanvasElement, { x, y }: Point, filled: boolean): void {
  const context = canvas.getContext("2d")!;
  context.strokeStyle = getComputedStyle(canvas).getPropertyValue("--frame");
  context.fillStyle = context.strokeStyle;
  context.lineWidth = 3;
  context.beginPath();
  context.arc(x, y, PAD_SIDE / 24, 0, 2 * Math.PI);
  context.stroke();
  if (filled) context.fill();
}
