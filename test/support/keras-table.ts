import { existsSync } from "node:fs";
import { join } from "node:path";
import { isLossName } from "../../src/losses/losses.ts";
import { ACTIVATIONS } from "../../src/ops/activation/activation.ts";
import { functionOf, metricName } from "./keras-names.ts";
import type { Coverage, KerasKind } from "./keras-pending.ts";

/** Sections of `docs/guide/keras.md`: Keras's names in the order of its manual, and where they are tested beside the golden cases. */
interface Section {
  readonly title: string;
  readonly kind?: KerasKind;
  readonly names: readonly string[];
  readonly tests: readonly string[];
}

const words = (text: string) => text.trim().split(/\s+/);
const golden = (name: string) => `test/golden/keras/${name}.test.ts`;

const WORDS: readonly string[] = [...ACTIVATIONS, "softmax"];

/** What has another name here. */
const SAME: Readonly<Record<string, string>> = {
  hardSwish: "hardSilu()",
  swish: "silu()",
  geluTanh: "gelu({ approximate: true })",
  Identity: 'activation({ activation: "linear" })',
  ProgbarLogger: "progressBar",
  // Options of all optimizers.
  use_ema: "withEma",
  gradient_accumulation_steps: "withGradientAccumulation",
  clipnorm: "clipNorm",
  clipvalue: "clipValue",
  global_clipnorm: "globalClipNorm",
  weight_decay: "weightDecay",
  // Of an entry of its own.
  TensorBoard: "tensorBoard",
};

export const SECTIONS: readonly Section[] = [
  {
    title: "Layers",
    kind: "layer",
    tests: [golden("layers.gpu")],
    names: words(`
      Dense Activation Embedding Identity Conv1D Conv2D SeparableConv2D DepthwiseConv2D Conv2DTranspose
      MaxPooling1D MaxPooling2D AveragePooling1D AveragePooling2D GlobalMaxPooling1D GlobalMaxPooling2D
      GlobalAveragePooling1D GlobalAveragePooling2D Flatten Reshape Permute RepeatVector ZeroPadding1D ZeroPadding2D Cropping1D
      Cropping2D UpSampling1D UpSampling2D Resizing BatchNormalization LayerNormalization GroupNormalization RMSNormalization
      UnitNormalization Normalization Rescaling Dropout SpatialDropout2D GaussianDropout GaussianNoise ActivityRegularization
      Add Subtract Multiply Average Maximum Minimum Concatenate Dot ReLU LeakyReLU PReLU ELU Softmax`),
  },
  {
    title: "Augmentation",
    tests: [golden("augmentation.gpu")],
    names: words(
      `RandomFlip RandomTranslation RandomRotation RandomZoom RandomContrast RandomBrightness RandomCrop CutMix MixUp`,
    ),
  },
  {
    title: "Activations",
    kind: "activation",
    tests: [golden("layers.gpu")],
    names: words(`
      linear relu relu6 leakyRelu elu selu celu gelu geluTanh silu swish mish sigmoid hardSigmoid hardSilu hardSwish hardTanh
      hardShrink softShrink tanhShrink sparsePlus sparseSigmoid squareplus tanh softplus softsign exponential softmax logSoftmax
      logSigmoid sparsemax`),
  },
  {
    title: "Losses",
    kind: "loss",
    tests: [golden("losses.gpu")],
    names: words(`
      CategoricalCrossentropy SparseCategoricalCrossentropy BinaryCrossentropy BinaryFocalCrossentropy
      CategoricalFocalCrossentropy CategoricalGeneralizedCrossEntropy MeanSquaredError MeanAbsoluteError
      MeanAbsolutePercentageError MeanSquaredLogarithmicError Huber LogCosh Hinge SquaredHinge CategoricalHinge KLDivergence
      Poisson CosineSimilarity Dice Tversky`),
  },
  {
    title: "Metrics",
    kind: "metric",
    tests: [golden("metrics.gpu")],
    names: words(`
      accuracy BinaryAccuracy CategoricalAccuracy SparseCategoricalAccuracy TopKCategoricalAccuracy SparseTopKCategoricalAccuracy
      Precision Recall TruePositives TrueNegatives FalsePositives FalseNegatives F1Score FBetaScore AUC PrecisionAtRecall
      RecallAtPrecision SensitivityAtSpecificity SpecificityAtSensitivity MeanIoU IoU BinaryIoU OneHotIoU OneHotMeanIoU
      MeanSquaredError RootMeanSquaredError MeanAbsoluteError MeanAbsolutePercentageError MeanSquaredLogarithmicError LogCoshError
      CosineSimilarity R2Score Hinge SquaredHinge CategoricalHinge Poisson KLDivergence BinaryCrossentropy
      CategoricalCrossentropy SparseCategoricalCrossentropy`),
  },
  {
    title: "Initializers",
    kind: "initializer",
    tests: [golden("initializers")],
    names: words(`
      zeros ones constant identity orthogonal glorotUniform glorotNormal heUniform heNormal lecunUniform lecunNormal
      varianceScaling randomNormal randomUniform truncatedNormal`),
  },
  {
    title: "Regularizers and constraints",
    tests: [golden("layers.gpu"), "test/layers/constraints.gpu.test.ts"],
    names: words(`L1 L2 L1L2 OrthogonalRegularizer MaxNorm MinMaxNorm NonNeg UnitNorm`),
  },
  {
    title: "Optimizers",
    tests: ["test/optimizers/optimizer.gpu.test.ts"],
    names: words(`SGD Adam AdamW Adamax Nadam RMSprop Adagrad Adadelta Lion`),
  },
  {
    title: "Options of optimizers",
    tests: [golden("optimizers.gpu")],
    names: words(`use_ema gradient_accumulation_steps clipnorm clipvalue global_clipnorm weight_decay`),
  },
  {
    title: "Schedules",
    tests: ["test/optimizers/schedules.gpu.test.ts", "test/optimizers/schedule.gpu.test.ts"],
    names: words(`
      ExponentialDecay CosineDecay CosineDecayRestarts PiecewiseConstantDecay PolynomialDecay InverseTimeDecay`),
  },
  {
    title: "Callbacks",
    tests: [],
    names: words(`
      EarlyStopping ModelCheckpoint ReduceLROnPlateau LearningRateScheduler TerminateOnNaN CSVLogger LambdaCallback TensorBoard
      ProgbarLogger`),
  },
];

const ROOT = join(import.meta.dirname, "../..");
const ABSENT = "not there yet";

/** Folders of tests that have one file a name. */
const FOLDERS: Readonly<Record<string, string>> = { Callbacks: "callbacks", Augmentation: "augmentations" };

/** Rows of a section, as the page has them. */
export function rowsOf(section: Section, coverage: readonly Coverage[]): string[] {
  return section.names.map((keras) => {
    const cases = coverage.find(({ kind, name }) => kind === section.kind && name === keras);
    // The layer of activations is in the golden cases by its activations.
    if (section.kind && !cases && keras !== "Activation")
      throw new Error(`${section.title}: there is no golden case of ${keras}.`);
    const ours = cases ? oursOf(section.kind!, keras, cases) : (functionOf(keras)?.name ?? SAME[keras]);
    const lacks = cases && cases.present.length > 0 ? cases.missing.map(detailOf) : [];
    const less = lacks.length > 0 ? `; not yet: ${lacks.join("; ")}` : "";
    const tests = ours === undefined ? [] : [...section.tests, ...testsNamed(section.title, ours)];
    const links = tests
      .filter((path) => existsSync(join(ROOT, path)))
      .map((path) => `[${linkName(path)}](../../${path})`);
    return `| \`${keras}\` | ${ours === undefined ? ABSENT : `\`${ours}\``}${less} | ${links.join(", ")} |`;
  });
}

function oursOf(kind: KerasKind, keras: string, { present }: Coverage): string | undefined {
  if (present.length === 0) return undefined;
  // Seven are words, as in Keras, the others values of functions.
  if (kind === "activation" && WORDS.includes(keras)) return `"${keras}"`;
  if (Object.hasOwn(SAME, keras)) return SAME[keras];
  if (kind === "activation") return `${keras}()`;
  const found = functionOf(kind === "metric" ? metricName(keras) : keras)?.name;
  if (kind === "loss" && isLossName(spelled(keras))) return `"${spelled(keras)}"`;
  if (kind === "initializer" && !found) return `"${keras}"`;
  return found ?? spelled(keras);
}

function spelled(className: string): string {
  return className.replace(/^[A-Z]+(?![a-z])|^[A-Z]/, (start) => start.toLowerCase());
}

function detailOf(name: string): string {
  return name.slice(name.indexOf(": ") + 2);
}

/** Tests of a name of its own: `test/callbacks/early-stopping.gpu.test.ts`. */
function testsNamed(title: string, ours: string): string[] {
  const folder = FOLDERS[title];
  const stem = ours.replaceAll(/[A-Z]+/g, (word) => `-${word.toLowerCase()}`);
  return folder === undefined ? [] : ["gpu.test.ts", "test.ts"].map((end) => `test/${folder}/${stem}.${end}`);
}

function linkName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1).replace(/(\.gpu)?\.test\.ts$/, "");
}

/** The page with its tables written anew. */
export function withTables(page: string, coverage: readonly Coverage[]): string {
  return SECTIONS.reduce((text, section) => {
    const table = new RegExp(
      `(## ${section.title}\\n(?:(?!\\n## )[^])*?\\| Keras [^\\n]*\\n\\| -[^\\n]*\\n)((?:\\|[^\\n]*\\n)*)`,
    );
    if (!table.test(text)) throw new Error(`The page has no table in "${section.title}".`);
    return text.replace(table, (_, head: string) => `${head}${rowsOf(section, coverage).join("\n")}\n`);
  }, page);
}
