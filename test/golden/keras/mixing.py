"""What Keras makes of a batch by its layers that mix samples, with draws that are given: the library's own, by the formulas of its kernels."""

from augmentation import GOLDEN, STEP, mix, seed_of
from formula import drawn, keras_options, numbers, written, write  # chooses the backend

import keras
import numpy as np

CASES = [
    ("default", "MixUp", {}, (5, 4, 3, 1), 3),
    ("much", "MixUp", {"alpha": 1, "seed": 4}, (7, 3, 5, 4), 10),
    ("default", "CutMix", {}, (7, 6, 5, 3), 4),
    ("a range", "CutMix", {"factor": [0.5, 0.9], "seed": 2}, (4, 9, 7, 4), 2),
]  # fmt: skip


def stream(seed, part):
    return mix(mix(seed + GOLDEN) ^ part)


def hashes(seed, count):
    return [mix(mix(i) ^ seed) for i in range(count)]


def uniform(seed, count):
    return np.array([(each >> 8) / 2.0**24 for each in hashes(seed, count)])


def draws(node, seed, rows, low, high):
    """Partners, and shares of Beta(a, a) by Devroye's formula."""
    own = seed_of(seed, *map(ord, node), STEP)
    ranked = hashes(own, rows)
    partners = [sum(other < each for other in ranked) for each in ranked]
    a = low + (high - low) * uniform(stream(own, 1), 1)[0]
    p = (1 - uniform(stream(own, 2), rows)) ** (1 / a)
    c = np.cos(2 * np.pi * uniform(stream(own, 3), rows))
    q = (1 - p) * c * c
    return np.array(partners, np.int32), 0.5 + 0.5 * np.sign(c) * np.sqrt(q / (p + q)), (a - low) / max(high - low, 1e-9)


def solved(name, class_name, config, shape, classes):
    seed = config.get("seed", 0)
    rows = shape[0]
    images = drawn(10, shape, 0.0, 1.0)
    labels = {"shape": [rows, classes], "values": np.eye(classes)[np.arange(rows) % classes].ravel().tolist()}
    cut = class_name == "CutMix"
    masks = drawn(11, shape, 0.0, 1.0)
    if cut:
        low, high = config.get("factor", [0, 1])
        partners, weights, share = draws("cutMix/mixDraws", seed, rows, low + 1e-6, high + 1e-6)
        places = uniform(seed_of(seed, *map(ord, "cutMix/random"), STEP), 2 * rows).reshape(rows, 2)
        uniforms = [low + (high - low) * share, places[:, 0], places[:, 1]]
    else:
        alpha = config.get("alpha", 0.2)
        partners, weights, share = draws("mixUp/mixDraws", seed, rows, alpha, alpha)
        uniforms = []
    layer = getattr(keras.layers, class_name)(**{**keras_options(config), "seed": 0})
    random = layer.backend.random
    kept = random.uniform, random.beta, random.shuffle

    def given_uniform(shape, minval=0.0, maxval=1.0, dtype=None, seed=None):
        return np.float32(uniforms.pop(0)) if len(shape) == 0 else uniforms.pop(0).astype(np.float32)

    random.uniform = given_uniform
    random.beta = lambda shape, alpha, beta, dtype=None, seed=None: weights.astype(np.float32)
    random.shuffle = lambda x, axis=0, seed=None: partners
    data = {"images": numbers(images), "labels": np.reshape(labels["values"], labels["shape"]).astype(np.float32)}
    if cut:
        data["segmentation_masks"] = numbers(masks)
    try:
        made = layer(data, training=True)
    finally:
        random.uniform, random.beta, random.shuffle = kept
    if uniforms:
        raise ValueError(f"{class_name} drew too little")
    return {
        "name": f"{class_name}: {name}",
        "layer": {"className": class_name, "config": config},
        "images": images,
        "classes": classes,
        "images made": written(made["images"]),
        "labels made": written(made["labels"]),
        **({"masks": masks, "masks made": written(made["segmentation_masks"])} if cut else {}),
    }


def make():
    write("mixing", [solved(*case) for case in CASES])
