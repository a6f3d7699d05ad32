"""Writes batch-normalization.json with Keras 3 on JAX's CPU backend: see make_golden.py for the setup.

    build/keras/bin/python test/golden/make_batch_normalization.py

Three SGD steps of a convolution, a BatchNormalization and relu, from the closed formula's weights and images; then evaluation by the
moving statistics.
"""

import json

from make_golden import HERE, golden_weights, uniform  # chooses the backend

import keras
import numpy as np

ROWS, SIDE, CHANNELS, FILTERS, CLASSES, STEPS, RATE, MOMENTUM = 6, 5, 2, 3, 3, 3, 0.1, 0.9

model = keras.Sequential(
    [
        keras.Input((SIDE, SIDE, CHANNELS)),
        keras.layers.Conv2D(FILTERS, 3),
        keras.layers.BatchNormalization(momentum=MOMENTUM),
        keras.layers.Activation("relu"),
        keras.layers.Flatten(),
        keras.layers.Dense(CLASSES, activation="softmax"),
    ]
)
model.compile(keras.optimizers.SGD(RATE), "sparse_categorical_crossentropy")
model.set_weights(golden_weights([w.shape for w in model.get_weights()]))
# The formula gives weights of rank 1 near 0, which a variance is not.
model.layers[1].moving_variance.assign(np.ones(FILTERS, np.float32))
model.layers[1].gamma.assign(np.ones(FILTERS, np.float32))
shape = (ROWS, SIDE, SIDE, CHANNELS)
x = (4 * uniform(101, np.arange(np.prod(shape))) - 1).astype(np.float32).reshape(shape)
y = np.arange(ROWS) % CLASSES

losses = [float(model.train_on_batch(x, y)) for _ in range(STEPS)]
weights = [{"path": w.path, "values": np.asarray(w).ravel().tolist()} for w in model.weights]
golden = {
    "keras": keras.__version__,
    "rows": ROWS,
    "side": SIDE,
    "channels": CHANNELS,
    "filters": FILTERS,
    "classes": CLASSES,
    "learningRate": RATE,
    "momentum": MOMENTUM,
    "losses": losses,
    "weights": weights,
    "evaluated": float(model.test_on_batch(x, y)),
    "predicted": np.asarray(model(x, training=False)).ravel().tolist(),
}
(HERE / "batch-normalization.json").write_text(json.dumps(golden, indent=1) + "\n")
print(losses, golden["evaluated"])
