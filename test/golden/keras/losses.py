"""Keras's losses: each sample's loss, gradients of their mean, and the reductions, with weights of samples and without."""

from formula import classes, drawn, figure, figures, keras_options, numbers, one_hot, write, written  # chooses the backend

import jax
import keras
import numpy as np

OUTPUT, LABEL, WEIGHT = 10, 70, 90  # streams
VECTORS, MAPS = (5, 4), (3, 2, 3, 4)  # a classifier's output, and a segmentation's
REDUCTIONS = {"sum": "sum", "sumOverBatchSize": "sum_over_batch_size", "mean": "mean", "meanWithSampleWeight": "mean_with_sample_weight"}


def case(name, class_name, config={}, shape=VECTORS, activation=None, labels="uniform", low=-2.0, high=2.0):
    kinds = {
        "uniform": lambda: drawn(LABEL, shape, -1.0, 1.0),
        "share": lambda: drawn(LABEL, shape, 0.0, 1.0),
        "positive": lambda: drawn(LABEL, shape, 0.2, 3.0),
        "binary": lambda: classes(LABEL, shape, 2),
        "classes": lambda: classes(LABEL, shape[:-1], shape[-1]),
        "oneHot": lambda: one_hot(LABEL, shape),
    }
    return {
        "name": f"{class_name}: {name}",
        "loss": {"className": class_name, "config": config},
        "activation": activation,
        "output": drawn(OUTPUT, shape, low, high),
        "labels": kinds[labels](),
        "sampleWeight": drawn(WEIGHT, shape[:1], 0.0, 2.0),
    }


def both(name, class_name, config={}, **options):
    """The same on vectors and on images."""
    return [
        case(name, class_name, config, **options),
        case(f"{name}, images", class_name, config, shape=MAPS, **options),
    ]


SOFTMAX = {"activation": "softmax", "labels": "oneHot"}
SPARSE = {"activation": "softmax", "labels": "classes"}
SIGMOID = {"activation": "sigmoid", "labels": "binary"}
SIGNS = {"labels": "binary"}
CASES = [
    *both("probabilities", "CategoricalCrossentropy", **SOFTMAX),
    *both("logits", "CategoricalCrossentropy", {"fromLogits": True}, labels="oneHot"),
    *both("smooth labels", "CategoricalCrossentropy", {"labelSmoothing": 0.1}, **SOFTMAX),
    case("smooth labels of logits", "CategoricalCrossentropy", {"fromLogits": True, "labelSmoothing": 0.2}, labels="oneHot"),
    case("probabilities of another layer", "CategoricalCrossentropy", low=0.05, high=1.0, labels="oneHot"),
    *both("probabilities", "SparseCategoricalCrossentropy", **SPARSE),
    *both("logits", "SparseCategoricalCrossentropy", {"fromLogits": True}, labels="classes"),
    *both("an ignored class", "SparseCategoricalCrossentropy", {"fromLogits": True, "ignoreClass": 0}, labels="classes"),
    *both("probabilities", "BinaryCrossentropy", **SIGMOID),
    *both("logits", "BinaryCrossentropy", {"fromLogits": True}, labels="binary"),
    case("smooth labels", "BinaryCrossentropy", {"labelSmoothing": 0.1}, **SIGMOID),
    case("shares of labels", "BinaryCrossentropy", activation="sigmoid", labels="share"),
    *both("probabilities", "BinaryFocalCrossentropy", **SIGMOID),
    case("logits, balanced", "BinaryFocalCrossentropy", {"fromLogits": True, "applyClassBalancing": True, "alpha": 0.3, "gamma": 1.5}, labels="binary"),
    case("smooth labels", "BinaryFocalCrossentropy", {"gamma": 3, "labelSmoothing": 0.1}, **SIGMOID),
    *both("probabilities", "CategoricalFocalCrossentropy", **SOFTMAX),
    case("logits", "CategoricalFocalCrossentropy", {"fromLogits": True, "alpha": 0.4, "gamma": 3}, labels="oneHot"),
    case("smooth labels", "CategoricalFocalCrossentropy", {"labelSmoothing": 0.1}, **SOFTMAX),
    case("probabilities", "CategoricalGeneralizedCrossEntropy", **SPARSE),
    *both("default", "MeanSquaredError"),
    *both("default", "MeanAbsoluteError"),
    *both("default", "MeanAbsolutePercentageError", labels="positive"),
    *both("default", "MeanSquaredLogarithmicError", labels="positive", low=0.1, high=4.0),
    *both("default", "Huber"),
    case("delta", "Huber", {"delta": 0.4}),
    *both("default", "LogCosh"),
    *both("signs of 0 and 1", "Hinge", **SIGNS),
    *both("signs of 0 and 1", "SquaredHinge", **SIGNS),
    *both("default", "CategoricalHinge", labels="oneHot"),
    *both("default", "KLDivergence", activation="softmax", labels="share"),
    *both("default", "Poisson", labels="positive", low=0.1, high=4.0),
    *both("default", "CosineSimilarity"),
    *both("default", "Dice", **SIGMOID),
    case("each sample, images", "Dice", {"axis": [1, 2, 3]}, shape=MAPS, **SIGMOID),
    *both("default", "Tversky", **SIGMOID),
    case("weights of errors", "Tversky", {"alpha": 0.3, "beta": 0.7}, **SIGMOID),
]


def solved(case):
    x, labels, weights = (numbers(case[key]) for key in ("output", "labels", "sampleWeight"))
    activate = {None: lambda x: x, "softmax": keras.activations.softmax, "sigmoid": keras.activations.sigmoid}[case["activation"]]
    make = getattr(keras.losses, case["loss"]["className"])
    options = keras_options(case["loss"]["config"])
    of_samples = lambda x: make(**options, reduction="none")(labels, activate(x))
    values = np.asarray(of_samples(x))
    # The library's loss is a number a sample. Keras has one a pixel, and Dice and Tversky one a batch.
    whole = values.ndim == 0 or values.shape[0] != len(x)
    made = {**case, "wholeBatch": bool(whole)}
    made["perSample"] = figures(values if whole else values.reshape(len(x), -1).mean(1))
    # A weight for each loss: of one a sample, Keras would divide by fewer weights than there are losses.
    spread = weights if whole else np.broadcast_to(weights.reshape([-1] + [1] * (values.ndim - 1)), values.shape)
    for ours, reduction in REDUCTIONS.items():
        loss = make(**options, reduction=reduction)
        made[ours] = figure(loss(labels, activate(x)))
        if not whole:
            made[f"{ours}Weighted"] = figure(loss(labels, activate(x), spread))
    mean = lambda x: make(**options)(labels, activate(x))
    made["dx"] = written(jax.grad(mean)(x))
    if not whole:
        made["dxWeighted"] = written(jax.grad(lambda x: make(**options)(labels, activate(x), spread))(x))
    return made


def make():
    write("losses", [solved(each) for each in CASES])
