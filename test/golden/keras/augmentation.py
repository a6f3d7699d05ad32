"""What Keras makes of images by its augmentation layers, with draws that are given: the library's own, hashes as src/base/random.ts makes."""

from formula import drawn, keras_options, numbers, written, write  # chooses the backend

import keras
import numpy as np

SHAPE = (3, 6, 5, 4)
STEP = 3
GOLDEN = 0x9E3779B9
MASK = 0xFFFFFFFF

SMALL = {"low": 0.0, "high": 1.0}
CASES = [
    ("both ways", "RandomFlip", {}, SHAPE),
    ("horizontal", "RandomFlip", {"mode": "horizontal", "seed": 1}, (7, 3, 4, 1)),
    ("vertical", "RandomFlip", {"mode": "vertical", "seed": 2}, (7, 3, 4, 3)),
    ("reflect", "RandomTranslation", {"heightFactor": 0.4, "widthFactor": 0.7}, SHAPE),
    ("wrap", "RandomTranslation", {"heightFactor": [0.1, 0.9], "widthFactor": -0.3, "fillMode": "wrap"}, SHAPE),
    ("constant", "RandomTranslation", {"heightFactor": 0.5, "widthFactor": 0.5, "fillMode": "constant", "fillValue": 0.25}, SHAPE),
    ("nearest pixel", "RandomTranslation", {"heightFactor": 0.5, "widthFactor": 0.5, "fillMode": "nearest", "interpolation": "nearest"}, SHAPE),
    ("reflect", "RandomRotation", {"factor": 0.2}, SHAPE),
    ("constant", "RandomRotation", {"factor": [-0.6, -0.1], "fillMode": "constant", "fillValue": -1, "seed": 5}, (3, 4, 7, 1)),
    ("wrap", "RandomRotation", {"factor": 0.3, "fillMode": "wrap"}, SHAPE),
    ("nearest", "RandomRotation", {"factor": 0.3, "fillMode": "nearest"}, SHAPE),
    ("both alike", "RandomZoom", {"heightFactor": 0.5}, SHAPE),
    ("constant", "RandomZoom", {"heightFactor": [0.1, 0.6], "widthFactor": [-0.5, 0.2], "fillMode": "constant"}, SHAPE),
    ("a number", "RandomContrast", {"factor": 0.6, "valueRange": [0, 1]}, SHAPE),
    ("a range", "RandomContrast", {"factor": [0.3, 0.9], "valueRange": [0.1, 0.8]}, SHAPE),
    ("a number", "RandomBrightness", {"factor": 0.5, "valueRange": [0, 1]}, SHAPE),
    ("a range", "RandomBrightness", {"factor": [-0.8, -0.1]}, SHAPE),
    ("smaller", "RandomCrop", {"height": 4, "width": 2}, SHAPE),
    ("a row", "RandomCrop", {"height": 1, "width": 4, "seed": 3}, SHAPE),
]  # fmt: skip


def mix(x):
    x &= MASK
    x = ((x ^ (x >> 16)) * 0x7FEB352D) & MASK
    x = ((x ^ (x >> 15)) * 0x846CA68B) & MASK
    return x ^ (x >> 16)


def seed_of(*parts):
    seed = 0
    for part in parts:
        seed = mix(mix(seed + GOLDEN) ^ (part & MASK))
    return seed


def draws(seed, rows, columns):
    """The draws of the layer `golden` in a step: [rows, columns], 24 bits of each hash."""
    stream = seed_of(seed, *map(ord, "golden"), STEP)
    values = [(mix(mix(i) ^ stream) >> 8) / 2.0**24 for i in range(rows * columns)]
    return np.array(values, np.float32).reshape(rows, columns)


def solved(name, class_name, config, shape):
    x = drawn(10, shape, 0.0, 1.0)
    layer = getattr(keras.layers, class_name)(**{**keras_options(config), "seed": 0})
    one = class_name == "RandomCrop"
    two = class_name in ("RandomTranslation", "RandomCrop") or "widthFactor" in config
    given = draws(config.get("seed", 0), 1 if one else shape[0], 2 if two else 1)
    calls = []

    def uniform(shape, minval=0.0, maxval=1.0, dtype=None, seed=None):
        column = given[:, len(calls)]
        calls.append(shape)
        made = minval + (maxval - minval) * column
        return np.float32(made[0]) if len(shape) == 0 else made.astype(np.float32).reshape(shape)

    random = layer.backend.random
    kept, random.uniform = random.uniform, uniform
    try:
        y = layer(numbers(x), training=True)
    finally:
        random.uniform = kept
    if len(calls) != given.shape[1]:
        raise ValueError(f"{class_name} drew {len(calls)} times")
    return {
        "name": f"{class_name}: {name}",
        "layer": {"className": class_name, "config": config},
        "inputs": [x],
        "weights": [],
        "y": written(y),
    }


def make():
    write("augmentation", [solved(*case) for case in CASES])
