"""Keras's metrics over batches of 8 of 21 samples, the last of 5: without weights of samples, and with them."""

from formula import classes, drawn, figure, figures, keras_options, numbers, one_hot, write  # chooses the backend

import keras
import numpy as np

ROWS, BATCH = 21, 8
OUTPUT, LABEL, WEIGHT = 10, 70, 90  # streams
CLASSES = 5
VECTORS, ONE, MAPS = (ROWS, CLASSES), (ROWS, 1), (ROWS, 2, 3, 3)


def case(name, class_name, config={}, shape=VECTORS, activation=None, labels="uniform", low=-2.0, high=2.0):
    kinds = {
        "uniform": lambda: drawn(LABEL, shape, -1.0, 1.0),
        "share": lambda: drawn(LABEL, shape, 0.0, 1.0),
        "positive": lambda: drawn(LABEL, shape, 0.2, 3.0),
        "binary": lambda: classes(LABEL, shape, 2),
        "classes": lambda: classes(LABEL, shape[:-1], shape[-1]),
        "same": lambda: classes(LABEL, shape, 3),  # class numbers in the output, too
        "oneHot": lambda: one_hot(LABEL, shape),
    }
    return {
        "name": f"{class_name}: {name}",
        "metric": {"className": class_name, "config": config},
        "activation": activation,
        "output": classes(OUTPUT, shape, 3) if labels == "same" else drawn(OUTPUT, shape, low, high),
        "labels": kinds[labels](),
        "sampleWeight": drawn(WEIGHT, (ROWS,), 0.0, 2.0),
        "batch": BATCH,
    }


SOFTMAX = {"activation": "softmax", "labels": "oneHot"}
SPARSE = {"activation": "softmax", "labels": "classes"}
SIGMOID = {"activation": "sigmoid", "labels": "binary"}
CASES = [
    case("one-hot labels", "accuracy", **SOFTMAX),
    case("class numbers", "accuracy", **SPARSE),
    case("vectors", "BinaryAccuracy", **SIGMOID),
    case("threshold", "BinaryAccuracy", {"threshold": 0.7}, **SIGMOID),
    case("one unit", "BinaryAccuracy", shape=ONE, **SIGMOID),
    case("vectors", "CategoricalAccuracy", **SOFTMAX),
    case("images", "CategoricalAccuracy", shape=MAPS, **SOFTMAX),
    case("vectors", "SparseCategoricalAccuracy", **SPARSE),
    case("images", "SparseCategoricalAccuracy", shape=MAPS, **SPARSE),
    case("three", "TopKCategoricalAccuracy", {"k": 3}, **SOFTMAX),
    case("one", "TopKCategoricalAccuracy", {"k": 1}, **SOFTMAX),
    case("three", "SparseTopKCategoricalAccuracy", {"k": 3}, **SPARSE),
    case("two", "SparseTopKCategoricalAccuracy", {"k": 2}, **SPARSE),
    *(
        each
        for kind in ("Precision", "Recall")
        for each in (
            case("vectors", kind, **SIGMOID),
            case("one unit", kind, shape=ONE, **SIGMOID),
            case("threshold", kind, {"thresholds": 0.7}, **SIGMOID),
            case("among the first", kind, {"topK": 2}, **SOFTMAX),
            case("one class", kind, {"classId": 1}, **SOFTMAX),
            case("thresholds", kind, {"thresholds": [0.7, 0.2, 0.45]}, **SIGMOID),
            case("thresholds at equal distances", kind, {"thresholds": [0.0, 0.25, 0.5, 0.75, 1.0]}, **SIGMOID),
            case("thresholds among the first", kind, {"thresholds": [0.1, 0.3], "topK": 2, "classId": 1}, **SOFTMAX),
        )
    ),
    *(
        each
        for kind in ("TruePositives", "TrueNegatives", "FalsePositives", "FalseNegatives")
        for each in (
            case("vectors", kind, **SIGMOID),
            case("threshold", kind, {"thresholds": 0.3}, **SIGMOID),
            case("thresholds", kind, {"thresholds": [0.3, 0.6]}, **SIGMOID),
        )
    ),
    *(
        case(average, "F1Score", {"average": average}, **SOFTMAX) for average in ("macro", "micro", "weighted")
    ),
    case("each class", "F1Score", **SOFTMAX),
    case("threshold", "F1Score", {"average": "macro", "threshold": 0.5}, **SIGMOID),
    case("beta 2", "FBetaScore", {"average": "macro", "beta": 2.0}, **SOFTMAX),
    case("beta 0.5", "FBetaScore", {"average": "micro", "beta": 0.5, "threshold": 0.4}, **SIGMOID),
    *(
        case(f"{curve}, {method}", "AUC", {"curve": curve, "summationMethod": method, "numThresholds": 50}, shape=ONE, **SIGMOID)
        for curve in ("ROC", "PR")
        for method in ("interpolation", "minoring", "majoring")
    ),
    case("vectors", "AUC", **SIGMOID),
    case("logits", "AUC", {"fromLogits": True, "numThresholds": 50}, shape=ONE, labels="binary"),
    case("several labels", "AUC", {"multiLabel": True, "numThresholds": 20, "numLabels": CLASSES}, **SIGMOID),
    case("thresholds", "AUC", {"thresholds": [0.6, 0.1, 0.35, 0.8]}, shape=ONE, **SIGMOID),
    case("thresholds, PR", "AUC", {"thresholds": [0.2, 0.3, 0.7], "curve": "PR"}, **SIGMOID),
    case("thresholds of several labels", "AUC", {"thresholds": [0.2, 0.7], "multiLabel": True}, **SIGMOID),
    case("one class", "PrecisionAtRecall", {"recall": 0.5, "classId": 2, "numThresholds": 20}, **SOFTMAX),
    case("default", "PrecisionAtRecall", {"recall": 0.5}, shape=ONE, **SIGMOID),
    case("default", "RecallAtPrecision", {"precision": 0.5}, shape=ONE, **SIGMOID),
    case("default", "SensitivityAtSpecificity", {"specificity": 0.5}, shape=ONE, **SIGMOID),
    case("default", "SpecificityAtSensitivity", {"sensitivity": 0.5}, shape=ONE, **SIGMOID),
    case("classes", "MeanIoU", {"numClasses": 3}, labels="same"),
    case("scores", "MeanIoU", {"numClasses": 3, "sparseYPred": False}, shape=MAPS, **SPARSE),
    case("two classes", "IoU", {"numClasses": 3, "targetClassIds": [0, 2]}, labels="same"),
    case("default", "BinaryIoU", {"targetClassIds": [0, 1], "threshold": 0.4}, **SIGMOID),
    case("images", "OneHotIoU", {"numClasses": 3, "targetClassIds": [0, 2]}, shape=MAPS, **SOFTMAX),
    case("images", "OneHotMeanIoU", {"numClasses": 3}, shape=MAPS, **SOFTMAX),
    case("vectors", "MeanSquaredError"),
    case("images", "MeanSquaredError", shape=MAPS),
    case("vectors", "RootMeanSquaredError"),
    case("images", "RootMeanSquaredError", shape=MAPS),
    case("vectors", "MeanAbsoluteError"),
    case("vectors", "MeanAbsolutePercentageError", labels="positive"),
    case("vectors", "MeanSquaredLogarithmicError", labels="positive", low=0.1, high=4.0),
    case("vectors", "LogCoshError"),
    case("vectors", "CosineSimilarity"),
    case("vectors", "R2Score"),
    case("signs", "Hinge", labels="binary"),
    case("signs", "SquaredHinge", labels="binary"),
    case("vectors", "CategoricalHinge", labels="oneHot"),
    case("vectors", "Poisson", labels="positive", low=0.1, high=4.0),
    case("vectors", "KLDivergence", activation="softmax", labels="share"),
    case("vectors", "BinaryCrossentropy", **SIGMOID),
    case("logits", "BinaryCrossentropy", {"fromLogits": True, "labelSmoothing": 0.1}, labels="binary"),
    case("vectors", "CategoricalCrossentropy", **SOFTMAX),
    case("logits", "CategoricalCrossentropy", {"fromLogits": True}, labels="oneHot"),
    case("vectors", "SparseCategoricalCrossentropy", **SPARSE),
    case("images", "SparseCategoricalCrossentropy", shape=MAPS, **SPARSE),
]


def value_of(case, weighted):
    class_name = case["metric"]["className"]
    if class_name == "accuracy":  # the word, of which Keras makes a metric by the shapes: compile_utils.py
        class_name = "CategoricalAccuracy" if "oneHot" in case["labels"] else "SparseCategoricalAccuracy"
    # Keras's IoUs count in whole numbers, to which they cut the weights of samples, unless they are told otherwise.
    floats = {"dtype": "float32"} if "IoU" in class_name else {}
    metric = getattr(keras.metrics, class_name)(**keras_options(case["metric"]["config"]), **floats)
    x, labels, weights = (numbers(case[key]) for key in ("output", "labels", "sampleWeight"))
    activate = {None: lambda x: x, "softmax": keras.activations.softmax, "sigmoid": keras.activations.sigmoid}[case["activation"]]
    y = np.asarray(activate(x))
    # One weight a sample: Keras wants a weight a number where a metric counts numbers.
    counts = hasattr(metric, "true_positives") or hasattr(metric, "total_cm") or metric.name.startswith(("true_", "false_"))
    for at in range(0, ROWS, BATCH):
        part = slice(at, at + BATCH)
        weight = None
        if weighted:
            weight = weights[part]
            if labels.ndim > 2 or (labels.ndim > 1 and counts):
                shape = labels[part].shape if counts else labels[part].shape[: y.ndim - 1]
                weight = np.broadcast_to(weight.reshape([-1] + [1] * (len(shape) - 1)), shape)
        metric.update_state(labels[part], y[part], sample_weight=weight)
    return np.asarray(metric.result())


def written_value(value):
    return figure(value) if value.ndim == 0 else figures(value)


def solved(case):
    made = {**case, "value": written_value(value_of(case, False))}
    try:
        return {**made, "weighted": written_value(value_of(case, True))}
    except (ValueError, TypeError) as error:  # Keras itself has no weights here
        print(case["name"], "has no weighted value:", str(error)[:120])
        return made


def make():
    write("metrics", [solved(each) for each in CASES])
