"""Numbers by a closed formula, names in both spellings, and how figures are written. cli/keras/formula.ts has the same formula."""

import json
import os
import re
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"
os.environ.setdefault("JAX_PLATFORMS", "cpu")

import numpy as np

HERE = Path(__file__).resolve().parent
WHOLE = 240  # tensors of up to so many numbers are written down, larger ones as a norm and projections
PROJECTIONS = 4


def uniform(stream, count):
    """Figures in [0, 1): the lowbias32 hash of index + stream * 0x9E3779B9 (mod 2^32), over 2^32."""
    x = np.arange(count, dtype=np.uint32) + np.uint32((stream * 0x9E3779B9) & 0xFFFFFFFF)
    x ^= x >> np.uint32(16)
    x *= np.uint32(0x7FEB352D)
    x ^= x >> np.uint32(15)
    x *= np.uint32(0x846CA68B)
    x ^= x >> np.uint32(16)
    return x.astype(np.float64) / 2.0**32


def drawn(stream, shape, low=-1.0, high=1.0):
    """A tensor in JSON: {stream, shape, low, high}. Its numbers are low + (high - low) * uniform, rounded to float32."""
    return {"stream": stream, "shape": [int(n) for n in shape], "low": low, "high": high}


def classes(stream, shape, count):
    """Class numbers in JSON: the whole parts of drawn(stream, shape, 0, count)."""
    return {"stream": stream, "shape": [int(n) for n in shape], "classes": count}


def one_hot(stream, shape):
    """Class numbers as ones among zeros along the last axis, in JSON."""
    return {"stream": stream, "shape": [int(n) for n in shape], "oneHot": True}


def numbers(tensor):
    """The numbers of a tensor in JSON."""
    stream, shape = tensor["stream"], tensor["shape"]
    if "classes" in tensor:
        return np.floor(uniform(stream, int(np.prod(shape))) * tensor["classes"]).astype(np.int32).reshape(shape)
    if "oneHot" in tensor:
        label = numbers(classes(stream, shape[:-1], shape[-1]))
        return np.eye(shape[-1], dtype=np.float32)[label]
    low, high = tensor["low"], tensor["high"]
    return (low + (high - low) * uniform(stream, int(np.prod(shape)))).astype(np.float32).reshape(shape)


def figure(value):
    """Seven significant digits, which a float32 has."""
    value = float(f"{float(value):.7g}")
    return int(value) if value == int(value) and abs(value) < 1e6 else value


def figures(values):
    return [figure(value) for value in np.asarray(values).reshape(-1)]


def written(values):
    """A tensor's shape and its numbers or, if it is large, its norm and projections."""
    values = np.asarray(values)
    shape = list(values.shape)
    if values.size <= WHOLE:
        return {"shape": shape, "values": figures(values)}
    flat = values.astype(np.float64).reshape(-1)
    sums = [float(np.sum(flat * (2 * uniform(1000 + j, flat.size) - 1))) for j in range(PROJECTIONS)]
    return {"shape": shape, "norm": figure(np.sqrt(np.sum(flat * flat))), "projections": figures(sums)}


def snake(name):
    """Keras's spelling of an option: kernel_size of kernelSize, but ROC of ROC."""
    return name if name.isupper() else re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def keras_options(config):
    """Keyword arguments of Keras for a config in camelCase. A part of its own is { className, config }, such as a regularizer."""
    import keras

    def value_of(value):
        if isinstance(value, dict):
            modules = (keras.regularizers, keras.initializers, keras.constraints)
            made = next(getattr(module, value["className"]) for module in modules if hasattr(module, value["className"]))
            return made(**keras_options(value["config"]))
        return snake(value) if isinstance(value, str) else value

    return {snake(name): value_of(value) for name, value in config.items()}


def write(name, cases, **more):
    import jax
    import keras

    versions = {"keras": keras.__version__, "jax": jax.__version__, "numpy": np.__version__}
    lines = ",\n".join(json.dumps(case, separators=(",", ":"), allow_nan=False) for case in cases)
    head = json.dumps({"versions": versions, **more}, separators=(",", ":"))[:-1]
    text = f'{head},"cases":[\n{lines}\n]}}\n'
    (HERE / f"{name}.json").write_text(text)
    print(f"{name}.json: {len(cases)} cases, {len(text) / 1024:.0f} KB")
