"""Writes depthwise-conv2d.json with Keras 3 on JAX's CPU backend: outputs and gradients of DepthwiseConv2D. Development only.

    python3 -m venv build/keras && build/keras/bin/pip install keras==3.15.1 jax==0.10.2 numpy==2.4.6
    build/keras/bin/python test/golden/make_depthwise_conv2d.py

All inputs come from the closed formula of cli/keras/formula.ts, as figures in [-1, 1): x, kernel, bias and dy are its streams 1 to 4.
"""

import json
import os
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"
os.environ.setdefault("JAX_PLATFORMS", "cpu")

import jax
import keras
import numpy as np

from make_golden import uniform

HERE = Path(__file__).resolve().parent

CASES = [
    {"x": [2, 5, 6, 3], "kernelSize": [3, 2], "strides": [1, 1], "padding": "same", "depthMultiplier": 2},
    {"x": [2, 6, 6, 4], "kernelSize": [3, 3], "strides": [2, 2], "padding": "valid", "depthMultiplier": 1},
    {"x": [1, 7, 7, 2], "kernelSize": [2, 2], "strides": [2, 2], "padding": "same", "depthMultiplier": 3},
]


def figures(stream, shape):
    values = 2 * uniform(stream, np.arange(np.prod(shape))) - 1
    return values.astype(np.float32).reshape(shape)


def flat(values):
    return [float(f"{value:.9g}") for value in np.asarray(values, np.float32).reshape(-1)]


def golden(case):
    layer = keras.layers.DepthwiseConv2D(
        case["kernelSize"],
        strides=case["strides"],
        padding=case["padding"],
        depth_multiplier=case["depthMultiplier"],
        activation="relu",
    )
    layer.build(case["x"])
    shapes = [list(weight.shape) for weight in layer.weights]
    weights = [figures(stream, shape) for stream, shape in zip((2, 3), shapes)]

    def call(x, kernel, bias):
        return layer.stateless_call([kernel, bias], [], x)[0]

    y, back = jax.vjp(call, figures(1, case["x"]), *weights)
    dx, dkernel, dbias = back(figures(4, y.shape))
    made = {"y": flat(y), "dX": flat(dx), "dK": flat(dkernel), "dB": flat(dbias)}
    return {**case, "kernelShape": shapes[0], "biasShape": shapes[1], "yShape": list(y.shape), **made}


if __name__ == "__main__":
    versions = {"keras": keras.__version__, "jax": jax.__version__, "numpy": np.__version__}
    text = json.dumps({"versions": versions, "activation": "relu", "cases": [golden(case) for case in CASES]})
    (HERE / "depthwise-conv2d.json").write_text(text + "\n")
