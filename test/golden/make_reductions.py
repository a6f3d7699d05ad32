"""Writes reductions.json: losses and weights of Keras's reductions, for two epochs of a dense layer.

    build/keras/bin/python test/golden/make_reductions.py   # setup as of make_golden.py; seconds

Batches are of 4 samples, the last one of 3. The sample weights of the second batch are zeros in one of the cases.
"""

import os

os.environ["KERAS_BACKEND"] = "jax"
os.environ.setdefault("JAX_PLATFORMS", "cpu")

import keras
import numpy as np
from make_golden import uniform, write

SAMPLES, INPUTS, CLASSES, BATCH, RATE = 7, 3, 4, 4, 0.125

x = (uniform(1, np.arange(SAMPLES * INPUTS)) * 2 - 1).astype(np.float32).reshape(SAMPLES, INPUTS)
kernel = (uniform(2, np.arange(INPUTS * CLASSES)) - 0.5).astype(np.float32).reshape(INPUTS, CLASSES)
targets = uniform(3, np.arange(SAMPLES)).astype(np.float32).reshape(SAMPLES, 1)
classes = np.array([3, 0, 2, 1, 0, 3, 2])
WEIGHTS = {
    "none": None,
    "some": np.array([1, 0, 2.5, 0.25, 3, 1, 0.5], np.float32),
    "a batch of zeros": np.array([1, 2, 0, 0.5, 0, 0, 0], np.float32),
}


def case(loss, reduction, weights):
    if loss == "squaredError":
        layer = keras.layers.Dense(1, use_bias=False)
        made = keras.losses.MeanSquaredError(reduction=reduction)
        y, first = targets, kernel[:, :1]
    else:
        layer = keras.layers.Dense(CLASSES, use_bias=False, activation="softmax")
        made = keras.losses.SparseCategoricalCrossentropy(reduction=reduction)
        y, first = classes, kernel
    model = keras.Sequential([keras.Input((INPUTS,)), layer])
    model.compile(optimizer=keras.optimizers.SGD(RATE), loss=made)
    model.set_weights([first])
    history = model.fit(
        x, y, batch_size=BATCH, epochs=2, shuffle=False, verbose=0, sample_weight=WEIGHTS[weights],
    ).history["loss"]
    tested = model.evaluate(x, y, batch_size=BATCH, verbose=0, sample_weight=WEIGHTS[weights])
    return {
        "loss": loss,
        "reduction": reduction,
        "weights": weights,
        "history": history,
        "evaluated": tested,
        "kernel": model.get_weights()[0].flatten().tolist(),
    }


cases = [
    case(loss, reduction, weights)
    for loss in ("squaredError", "sparseCategoricalCrossentropy")
    for reduction in ("sum_over_batch_size", "mean", "sum", "mean_with_sample_weight")
    for weights in WEIGHTS
]
write(
    "reductions",
    {
        "keras": keras.__version__,
        "x": x.flatten().tolist(),
        "kernel": kernel.flatten().tolist(),
        "targets": targets.flatten().tolist(),
        "classes": classes.tolist(),
        "weights": {name: None if each is None else each.tolist() for name, each in WEIGHTS.items()},
        "cases": cases,
    },
)
