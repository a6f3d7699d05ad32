import { useEffect, useId, useRef, useState } from "preact/hooks";
import { createInk, PAD_SIDE } from "./ink.ts";
import { createPen, type Pen } from "./pen.ts";

interface DrawingPadProps {
  /** What is to be drawn. */
  readonly label: string;
  /** At most once a frame: the picture of 280x280, white on black, or `undefined` where it was cleared. */
  readonly onInk: (ink: ImageData | undefined) => void;
}

/** A square to draw on by mouse, touch, pen or keys. A new `key` makes an empty one. */
export function DrawingPad({ label, onInk }: DrawingPadProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const pen = useRef<Pen>(undefined);
  const listener = useRef(onInk);
  listener.current = onInk;
  const [words, setWords] = useState("");
  const hint = useId();
  useEffect(() => {
    const screen = canvas.current!;
    const ink = createInk();
    let frame = 0;
    let told = true;
    const paint = () => ink.paint(screen, getComputedStyle(screen).getPropertyValue("--ink"));
    const show = () => {
      frame = 0;
      pen.current!.paintOn(screen, paint);
      if (!told) listener.current(ink.picture());
      told = true;
    };
    const ask = (changed: boolean) => {
      told &&= !changed;
      frame ||= requestAnimationFrame(show);
    };
    pen.current = createPen(ink, ask, setWords);
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const repaint = () => ask(false);
    dark.addEventListener("change", repaint);
    return () => {
      dark.removeEventListener("change", repaint);
      cancelAnimationFrame(frame);
    };
  }, []);
  return (
    <div class="pad">
      <div
        class="pad-paper"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: keys draw on it.
        tabIndex={0}
        role="application"
        aria-label={label}
        aria-describedby={hint}
        onPointerDown={(event) => pen.current?.pressed(event)}
        onPointerMove={(event) => pen.current?.moved(event)}
        onPointerUp={(event) => pen.current?.released(event)}
        onPointerCancel={(event) => pen.current?.released(event)}
        onKeyDown={(event) => pen.current?.keyDown(event)}
        onKeyUp={(event) => pen.current?.keyUp(event)}
        onBlur={() => pen.current?.leave()}
      >
        <canvas ref={canvas} width={PAD_SIDE} height={PAD_SIDE} />
      </div>
      <div class="pad-foot">
        <p id={hint}>
          Draw with mouse, finger or pen. Or with keys: arrows move, space puts the pen down and lifts it, delete
          clears.
        </p>
        <button type="button" class="quiet" onClick={() => pen.current?.clear()}>
          Clear
        </button>
      </div>
      <p class="unseen" role="status">
        {words}
      </p>
    </div>
  );
}
