import type { FunctionComponent } from "preact";
import { Convolution } from "./convolution/convolution.tsx";
import { Keep } from "./keep/keep.tsx";
import { Network } from "./network/network.tsx";
import { Own } from "./own/own.tsx";
import { PaddingAndStride } from "./padding/padding.tsx";
import { Pooling } from "./pooling/pooling.tsx";
import { Train } from "./train/train.tsx";
import { Try } from "./try/try.tsx";

interface SectionEntry {
  /** Of its element, and what a link to it ends in. */
  readonly id: string;
  readonly title: string;
  readonly Body: FunctionComponent;
}

export const SECTIONS: readonly SectionEntry[] = [
  { id: "convolution", title: "Convolution", Body: Convolution },
  { id: "padding", title: "Padding and stride", Body: PaddingAndStride },
  { id: "pooling", title: "Pooling", Body: Pooling },
  { id: "network", title: "The network", Body: Network },
  { id: "train", title: "Train", Body: Train },
  { id: "try", title: "Try it", Body: Try },
  { id: "own", title: "Your own data", Body: Own },
  { id: "keep", title: "Keep it", Body: Keep },
];
