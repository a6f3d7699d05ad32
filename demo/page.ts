// The page's elements, and how figures are written into them.

import { describeLayers } from "./network.ts";
import { IMAGE_CHOICES, type Settings } from "./settings.ts";

/** For style and tests: `data-state` of `main`. */
export type State = "starting" | "ready" | "loading" | "training" | "finished" | "stopped" | "failed" | "unsupported";

function find<E extends Element>(id: string, type: new () => E): E {
  const found = document.getElementById(id);
  if (found instanceof type) return found;
  throw new Error(`The page has no ${type.name} "${id}".`);
}

const main = find("main", HTMLElement);
const message = find("message", HTMLElement);
const status = find("status", HTMLElement);
const detail = find("detail", HTMLElement);
const progress = find("progress", HTMLProgressElement);
const images = find("images", HTMLSelectElement);
const epochs = find("epochs", HTMLInputElement);
const options = find("options", HTMLFieldSetElement);

export const form = find("form", HTMLFormElement);
const button = find("button", HTMLButtonElement);
export const digitList = find("digits", HTMLOListElement);
export const lossCurve = find("loss-curve", HTMLElement);
export const accuracyCurve = find("accuracy-curve", HTMLElement);

export const count = (value: number): string => value.toLocaleString("en-US");
export const loss = (value: number): string => value.toFixed(value < 0.1 ? 3 : 2);
export const percent = (value: number): string => `${(100 * value).toFixed(1)}%`;
export const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);

/** A figure by the id of its element; a dash for one that is not there yet. */
export function setFigure(id: string, value: number | undefined, format: (value: number) => string): void {
  find(id, HTMLElement).textContent = value === undefined || Number.isNaN(value) ? "–" : format(value);
}

export function setText(id: string, text: string): void {
  find(id, HTMLElement).textContent = text;
}

/** `sentence` is read aloud by screen readers, so it changes rarely; `more` is not. */
export function setStatus(state: State, sentence: string, more = ""): void {
  main.dataset.state = state;
  if (status.textContent !== sentence) status.textContent = sentence;
  detail.textContent = more;
}

/** `done` in [0, 1], or `undefined` where there is no telling how long it will take. */
export function setProgress(done: number | undefined): void {
  if (done === undefined) progress.removeAttribute("value");
  else progress.value = done;
}

/** Once a stop is asked for, until training has come to it. */
export function setStopping(): void {
  button.textContent = "Stopping …";
}

export function showMessage(title: string, ...paragraphs: string[]): void {
  const heading = document.createElement("strong");
  heading.textContent = title;
  const texts = paragraphs.map((text) => {
    const paragraph = document.createElement("p");
    paragraph.textContent = text;
    return paragraph;
  });
  message.hidden = false;
  message.replaceChildren(heading, ...texts);
}

export function hideMessage(): void {
  message.hidden = true;
}

export function showExpectation(text: string): void {
  const note = find("expectation", HTMLElement);
  note.textContent = text;
  note.hidden = false;
}

export function showLayers(): void {
  const rows = describeLayers();
  const body = find("layers", HTMLTableSectionElement);
  for (const { type, outputShape, parameters } of rows) {
    const row = body.insertRow();
    const header = row.appendChild(document.createElement("th"));
    header.scope = "row";
    header.textContent = type;
    row.insertCell().textContent = outputShape.join(" × ");
    row.insertCell().textContent = parameters ? count(parameters) : "–";
  }
  setText("total", count(rows.reduce((sum, { parameters }) => sum + parameters, 0)));
}

export function showSettings(settings: Settings): void {
  const choices = [...new Set([...IMAGE_CHOICES, settings.images])].sort((a, b) => a - b);
  images.replaceChildren(...choices.map((choice) => new Option(count(choice), String(choice))));
  images.value = String(settings.images);
  epochs.value = String(settings.epochs);
}

export function chosenSettings(batchSize: number): Settings {
  return { images: Number(images.value), epochs: epochs.valueAsNumber, batchSize };
}

/** While it trains, the button stops and the options rest; neither can be used before the first call. */
export function setTraining(training: boolean): void {
  // A focused control that is disabled would lose the keyboard.
  if (training && options.contains(document.activeElement)) button.focus();
  options.disabled = training;
  button.disabled = false;
  button.textContent = training ? "Stop" : "Train";
  button.classList.toggle("stop", training);
}
