// Files of the page's networks, read with no more parts than these have.

import {
  accuracy,
  adagrad,
  adam,
  averagePooling2d,
  conv2d,
  dense,
  dropout,
  flatten,
  maxPooling2d,
  modelLoader,
  rmsprop,
  sgd,
} from "../../src/index.ts";

export const { loadModel } = modelLoader({
  layers: {
    AveragePooling2D: averagePooling2d,
    Conv2D: conv2d,
    Dense: dense,
    Dropout: dropout,
    Flatten: flatten,
    MaxPooling2D: maxPooling2d,
  },
  optimizers: { adagrad, adam, rmsprop, sgd },
  metrics: { accuracy },
});
