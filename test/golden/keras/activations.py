"""Keras's activations on 42 numbers of both signs: values and gradients."""

from formula import drawn, numbers, snake, write, written  # chooses the backend

import jax
import keras

NAMES = [
    "linear", "relu", "relu6", "leakyRelu", "elu", "selu", "celu", "gelu", "silu", "swish", "mish", "sigmoid", "hardSigmoid",
    "hardSilu", "hardSwish", "hardTanh", "hardShrink", "softShrink", "tanhShrink", "sparsePlus", "sparseSigmoid", "squareplus",
    "tanh", "softplus", "softsign", "exponential", "softmax", "logSoftmax", "logSigmoid", "sparsemax",
]  # fmt: skip
SHAPE = (3, 2, 7)
RANGES = ((3.5, 10), (12.0, 11))  # the largest number, and the stream


def sparsemax(x):
    """Keras's as it is since its pull request 23469. 3.15 adds up all sums in the support, where the last is meant."""
    jnp = jax.numpy
    ordered = -jnp.sort(-x, axis=-1)
    sums = jnp.cumsum(ordered, axis=-1)
    support = ordered - (sums - 1) / jnp.arange(1, x.shape[-1] + 1) > 0
    total = jnp.sum(jnp.where(support, ordered, 0), axis=-1, keepdims=True)
    return jnp.maximum(x - (total - 1) / jnp.sum(support, axis=-1, keepdims=True), 0)


def solved(name, call, most, stream):
    x = drawn(stream, SHAPE, -most, most)
    y, back = jax.vjp(call, numbers(x))
    dy = numbers(drawn(50, SHAPE))
    value = {"className": "gelu", "config": {"approximate": True}} if name == "geluTanh" else name
    layer = {"className": "Activation", "config": {"activation": value}}
    return {
        "name": f"{name} within {most:g}",
        "layer": layer,
        "inputs": [x],
        "weights": [],
        "y": written(y),
        "dx": [written(back(dy)[0])],
        "dweights": [],
    }


def make():
    calls = {name: keras.layers.Activation(snake(name)) for name in NAMES}
    # Keras has the exact form by the word, and the form by tanh as a function of one's own.
    calls["sparsemax"] = sparsemax
    calls["geluTanh"] = lambda x: keras.activations.gelu(x, approximate=True)
    write("activations", [solved(name, call, *each) for name, call in calls.items() for each in RANGES])
