"""Writes convolutions.json with Keras 3 on JAX's CPU backend: outputs and gradients of layers that convolve or pool. Development only.

    python3 -m venv build/keras && build/keras/bin/pip install keras==3.15.1 jax==0.10.2 numpy==2.4.6
    build/keras/bin/python test/golden/make_convolutions.py

All inputs come from the closed formula of cli/keras/formula.ts, as figures in [-1, 1): x and dy are its streams 1 and 2, and the
layer's weights, in Keras's order, are streams 3, 4 and so on.
"""

import json
import os
import re
import sys
from pathlib import Path

# The folder beside this file that is named keras comes after Keras.
sys.path.append(sys.path.pop(0))

os.environ["KERAS_BACKEND"] = "jax"
os.environ.setdefault("JAX_PLATFORMS", "cpu")

import jax
import keras

from make_depthwise_conv2d import figures, flat

HERE = Path(__file__).resolve().parent

# Class, shape of x, options in Keras's words.
CASES = [
    ("Conv2D", [2, 7, 6, 3], dict(filters=4, kernel_size=[3, 2], padding="same", dilation_rate=2, activation="relu")),
    ("Conv2D", [2, 9, 8, 4], dict(filters=5, kernel_size=3, dilation_rate=[3, 2], use_bias=False)),
    ("Conv2D", [2, 6, 5, 6], dict(filters=8, kernel_size=3, groups=2, padding="same", activation="tanh")),
    ("Conv2D", [2, 7, 6, 6], dict(filters=9, kernel_size=[2, 3], groups=3, strides=[2, 1])),
    ("Conv2D", [1, 8, 7, 8], dict(filters=8, kernel_size=3, groups=2, padding="same", dilation_rate=[1, 2])),
    ("DepthwiseConv2D", [2, 7, 6, 3], dict(kernel_size=3, padding="same", dilation_rate=2, depth_multiplier=2)),
    ("DepthwiseConv2D", [2, 8, 7, 4], dict(kernel_size=[3, 2], dilation_rate=[2, 3], activation="relu")),
    ("Conv2DTranspose", [2, 4, 5, 3], dict(filters=4, kernel_size=2, strides=2, activation="relu")),
    ("Conv2DTranspose", [2, 3, 4, 4], dict(filters=3, kernel_size=[3, 2], strides=[2, 3], padding="same")),
    ("Conv2DTranspose", [1, 4, 3, 2], dict(filters=5, kernel_size=[4, 3], strides=[2, 3], padding="same", output_padding=[1, 2])),
    ("Conv2DTranspose", [1, 3, 4, 5], dict(filters=2, kernel_size=[2, 3], strides=3, output_padding=[2, 0], use_bias=False)),
    ("Conv2DTranspose", [2, 5, 4, 3], dict(filters=4, kernel_size=3, dilation_rate=[2, 1], padding="same", activation="tanh")),
    ("Conv1D", [2, 9, 3], dict(filters=4, kernel_size=3, padding="causal", dilation_rate=2, activation="relu")),
    ("Conv1D", [1, 9, 2], dict(filters=3, kernel_size=4, padding="causal", strides=2)),
    ("Conv1D", [2, 8, 6], dict(filters=4, kernel_size=3, groups=2, padding="same", use_bias=False)),
]


def camel(name):
    return re.sub(r"_(\w)", lambda match: match[1].upper(), name)


def golden(kind, x_shape, options):
    layer = getattr(keras.layers, kind)(**options)
    layer.build(x_shape)
    shapes = [list(weight.shape) for weight in layer.weights]
    weights = [figures(3 + i, shape) for i, shape in enumerate(shapes)]

    def call(x, *weights):
        return layer.stateless_call(list(weights), [], x)[0]

    y, back = jax.vjp(call, figures(1, x_shape), *weights)
    gradients = [flat(gradient) for gradient in back(figures(2, y.shape))]
    return {
        "layer": kind,
        "options": {camel(name): value for name, value in options.items()},
        "x": x_shape,
        "weights": [{"name": weight.name, "shape": shape} for weight, shape in zip(layer.weights, shapes)],
        "yShape": list(y.shape),
        "y": flat(y),
        "dX": gradients[0],
        "dWeights": gradients[1:],
    }


if __name__ == "__main__":
    versions = {"keras": keras.__version__, "jax": jax.__version__}
    cases = [golden(*case) for case in CASES]
    (HERE / "convolutions.json").write_text(json.dumps({"versions": versions, "cases": cases}) + "\n")
