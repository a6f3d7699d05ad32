"""Writes metrics.json: what Keras 3's AUC and top-k metrics say of predictions by the formula of cli/keras/formula.ts.

    build/keras/bin/python test/golden/make_metrics.py   # setup as of make_golden.py; seconds

Numbers come in batches, the last one short.
"""

import os

os.environ["KERAS_BACKEND"] = "jax"
os.environ.setdefault("JAX_PLATFORMS", "cpu")

import keras
import numpy as np
from make_golden import uniform, write

SIZE, BATCH = 210, 32
CLASSES = 7

p = uniform(1, np.arange(SIZE)).astype(np.float32)
labels = (uniform(2, np.arange(SIZE)) < 0.2 + 0.5 * p.astype(np.float64)).astype(np.float32)


def of_batches(metric, y_true, y_pred):
    for at in range(0, len(y_pred), BATCH):
        metric.update_state(y_true[at : at + BATCH], y_pred[at : at + BATCH])
    return float(metric.result())


areas = [
    {
        "numThresholds": count,
        "curve": curve,
        "summationMethod": method,
        "value": of_batches(
            keras.metrics.AUC(num_thresholds=count, curve=curve, summation_method=method), labels, p
        ),
    }
    for count in (2, 5, 200)
    for curve in ("ROC", "PR")
    for method in ("interpolation", "minoring", "majoring")
]
scores = p.reshape(-1, CLASSES)
classes = (uniform(3, np.arange(len(scores))) * CLASSES).astype(np.int32)
hits = [
    {"k": k, "value": of_batches(keras.metrics.SparseTopKCategoricalAccuracy(k=k), classes, scores)} for k in (1, 3, 5)
]
document = {"keras": keras.__version__, "size": SIZE, "classes": CLASSES, "areas": areas, "topK": hits}
write("metrics", document)
