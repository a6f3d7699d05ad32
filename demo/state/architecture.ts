// The network that the page is about: edited in one section, trained, tried and kept in others.

import { signal } from "@preact/signals";
import { ARTICLE, type NetworkSpec } from "../network.ts";

export const architecture = signal<NetworkSpec>(ARTICLE);
