/**
 * Calls when an element has another size, and at first: in the next frame, since what it changes may change sizes again.
 *
 * @returns what ends it
 */
export function onResize(element: Element, call: () => void): () => void {
  let frame = 0;
  const observer = new ResizeObserver(() => {
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(call);
  });
  observer.observe(element);
  return () => {
    observer.disconnect();
    cancelAnimationFrame(frame);
  };
}
