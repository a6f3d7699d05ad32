// The page: a headline, messages, and the sections in the order in which one reads them.

import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { SECTIONS } from "./sections/sections.ts";
import { goToSection } from "./state/address.ts";
import { Adapter } from "./ui/adapter.tsx";
import { Notices } from "./ui/notices.tsx";

/** Sections that are in place: one more each task, so that none keeps the page from answering. */
const placed = signal(1);

function placeNext(): void {
  if (placed.value < SECTIONS.length) {
    placed.value++;
    setTimeout(placeNext);
  } else goToSection();
}

export function App() {
  useEffect(() => void setTimeout(placeNext), []);
  return (
    <>
      <a class="skip" href="#main">
        Skip to the first section
      </a>
      <header class="head">
        <h1>featuremap</h1>
        <p class="lead">
          A convolutional network finds what is in an image by sliding small windows over it. Below, every step of that
          is yours to play with; then the whole network learns to read handwritten digits, on your machine, while you
          watch.
        </p>
        <Adapter />
      </header>
      <nav class="contents" aria-label="Sections">
        <ol>
          {SECTIONS.map(({ id, title }) => (
            <li key={id}>
              <a href={`#${id}`}>{title}</a>
            </li>
          ))}
        </ol>
      </nav>
      <main id="main" tabIndex={-1}>
        <Notices about="page" />
        {SECTIONS.slice(0, placed.value).map(({ id, Body }) => (
          <Body key={id} />
        ))}
        <Notices about="here" />
      </main>
      <footer class="foot">
        <p>
          Every number and picture on this page comes out of featuremap's own WebGPU kernels. Nothing leaves your
          machine. After the article <cite>Understanding Convolutional Neural Networks (CNN) with Keras</cite>.
        </p>
      </footer>
    </>
  );
}
