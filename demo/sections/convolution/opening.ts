import { map, walk } from "./state.ts";

/** Lets the kernel walk once by itself, when it is first seen: unless it was moved already, or motion is unwelcome. */
export function beginWhenSeen(element: Element): () => void {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return () => {};
  let forget = () => {};
  const observer = new IntersectionObserver(
    ([entry]) => {
      if (!entry!.isIntersecting) return;
      observer.disconnect();
      forget = map.subscribe((answer) => {
        if (!answer?.value) return;
        queueMicrotask(() => forget());
        if (walk.at.peek() === 0 && !walk.playing.peek()) walk.play();
      });
    },
    { threshold: 0.5 },
  );
  observer.observe(element);
  return () => {
    observer.disconnect();
    forget();
  };
}
