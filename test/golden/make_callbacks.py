"""Writes callbacks.json: what Keras's callbacks do on given series of figures, and the order in which it calls hooks.

    build/keras/bin/python test/golden/make_callbacks.py   # setup as of make_golden.py; seconds

Each case is a fit of a model with one weight. A callback before the one under test puts the next
number of the series into the logs.
"""

import csv
import json
import os
import sys
import tempfile
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"

import keras  # noqa: E402
import numpy as np  # noqa: E402

X = np.arange(6, dtype="float32").reshape(6, 1)
Y = 2 * X


def model(learning_rate=0.1):
    keras.utils.set_random_seed(1)
    made = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    made.compile(optimizer=keras.optimizers.SGD(learning_rate), loss="mse")
    return made


class Series(keras.callbacks.Callback):
    """Puts figures into the logs, and the number of the epoch, counted from 1, into the weight."""

    def __init__(self, series):
        super().__init__()
        self.series = series
        self.rates = []

    def on_epoch_begin(self, epoch, logs=None):
        self.model.set_weights([np.full((1, 1), epoch + 1, dtype="float32")])

    def on_epoch_end(self, epoch, logs=None):
        self.model.set_weights([np.full((1, 1), epoch + 1, dtype="float32")])
        for name, values in self.series.items():
            if epoch < len(values) and values[epoch] is not None:
                logs[name] = float(values[epoch])
        self.rates.append(float(self.model.optimizer.learning_rate))


def run(series, callback, epochs, **options):
    made = model()
    driver = Series(series)
    history = made.fit(X, Y, epochs=epochs, verbose=0, callbacks=[driver, callback], batch_size=6, **options)
    return made, driver, history


NAN = float("nan")
SERIES = {
    "falls": [5, 4, 3, 2, 1, 0.5, 0.25, 0.125],
    "rises again": [5, 4, 3, 3.5, 2.9, 3, 3.1, 3.2],
    "flat": [1, 1, 1, 1, 1, 1, 1, 1],
    "steps": [1, 0.95, 0.9, 0.86, 0.85, 0.7, 0.71, 0.72],
    "nan": [3, NAN, 2, NAN, NAN, NAN, 1, 1],
    "gaps": [3, None, 2, None, 2.5, 2.5, 2.5, 2.5],
    "worsens": [1, 2, 3, 4, 5, 6, 7, 8],
}

STOPPING = [
    {},
    {"patience": 1},
    {"patience": 2},
    {"patience": 2, "min_delta": 0.1},
    {"patience": 2, "mode": "max"},
    {"patience": 1, "baseline": 2.95},
    {"patience": 2, "baseline": 0.9, "min_delta": -0.01},
    {"patience": 1, "start_from_epoch": 3},
    {"patience": 3, "start_from_epoch": 2, "mode": "min"},
]
PLATEAU = [
    {"patience": 1},
    {"patience": 2, "factor": 0.5},
    {"patience": 0, "factor": 0.5},
    {"patience": 1, "factor": 0.5, "min_delta": 0.06},
    {"patience": 1, "factor": 0.5, "cooldown": 2},
    {"patience": 1, "factor": 0.2, "min_lr": 0.01},
    {"patience": 1, "factor": 0.5, "mode": "max"},
]


def stopping():
    for name, values in SERIES.items():
        for options in STOPPING:
            callback = keras.callbacks.EarlyStopping(monitor="val_loss", restore_best_weights=True, **options)
            made, _, history = run({"val_loss": values}, callback, len(values))
            yield {
                "series": name,
                "options": options,
                "epochs": len(history.epoch),
                "stopped": callback.stopped_epoch,
                "weightsOf": int(made.get_weights()[0][0, 0]),
            }


def plateau():
    for name, values in SERIES.items():
        for options in PLATEAU:
            callback = keras.callbacks.ReduceLROnPlateau(monitor="val_loss", **options)
            made, driver, history = run({"val_loss": values}, callback, len(values))
            yield {
                "series": name,
                "options": options,
                "rates": driver.rates + [float(made.optimizer.learning_rate)],
                "history": history.history["learning_rate"],
            }


def schedule():
    callback = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate if epoch < 2 else rate * 0.5)
    _, driver, history = run({}, callback, 5)
    return {"rates": driver.rates, "history": history.history["learning_rate"]}


CHECKPOINTS = [
    {},
    {"save_best_only": True},
    {"save_best_only": True, "mode": "max"},
    {"save_best_only": True, "initial_value_threshold": 2.5},
]


def checkpoints():
    for name, values in SERIES.items():
        for options in CHECKPOINTS:
            if name == "gaps":
                continue  # the path needs the figure
            with tempfile.TemporaryDirectory() as folder:
                path = folder + "/{epoch:02d}-{val_loss:.2f}.weights.h5"
                callback = keras.callbacks.ModelCheckpoint(path, monitor="val_loss", save_weights_only=True, **options)
                run({"val_loss": values}, callback, len(values))
                files = sorted(each.name.removesuffix(".weights.h5") for each in Path(folder).iterdir())
            yield {"series": name, "options": options, "files": files}


def csv_files():
    for options in [{}, {"separator": ";"}]:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "log.csv"
            callback = keras.callbacks.CSVLogger(str(path), **options)
            run({"loss": [0.5, 0.25], "zeta": [1, 2], "alpha": [3, 4]}, callback, 2)
            first = path.read_text()
            again = keras.callbacks.CSVLogger(str(path), append=True, **options)
            run({"loss": [0.125], "zeta": [NAN], "alpha": [1e-8]}, again, 1)
            yield {"options": options, "text": first, "appended": path.read_text()}


class Order(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.calls = []

    def set_model(self, model):
        super().set_model(model)
        self.calls.append("set_model")

    def set_params(self, params):
        super().set_params(params)
        self.calls.append("set_params")


for part in ["epoch", "train", "train_batch", "test", "test_batch", "predict", "predict_batch"]:
    for end in ["begin", "end"]:
        numbered = "batch" in part or part == "epoch"

        def hook(self, *args, hook_name=f"on_{part}_{end}", numbered=numbered, **_):
            self.calls.append(f"{hook_name} {args[0]}" if numbered else hook_name)

        setattr(Order, f"on_{part}_{end}", hook)


def order():
    calls = {}
    for name, call in {
        "fit": lambda made, seen: made.fit(
            X, Y, batch_size=2, epochs=3, initial_epoch=1, verbose=0, validation_data=(X, Y), validation_batch_size=4,
            validation_freq=[3], callbacks=[seen],
        ),
        "evaluate": lambda made, seen: made.evaluate(X, Y, batch_size=4, verbose=0, callbacks=[seen]),
        "predict": lambda made, seen: made.predict(X, batch_size=4, verbose=0, callbacks=[seen]),
    }.items():
        seen = Order()
        call(model(), seen)
        calls[name] = seen.calls
    return calls


def numbers(value):
    """JSON has no NaN."""
    if isinstance(value, dict):
        return {key: numbers(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [numbers(each) for each in value]
    return "NaN" if isinstance(value, float) and value != value else value


made = {
    "keras": keras.__version__,
    "series": SERIES,
    "earlyStopping": list(stopping()),
    "reduceLrOnPlateau": list(plateau()),
    "learningRateScheduler": schedule(),
    "modelCheckpoint": list(checkpoints()),
    "csvLogger": list(csv_files()),
    "order": order(),
}
target = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).with_name("callbacks.json"))
target.write_text(json.dumps(numbers(made), indent=1) + "\n")
print(target, len(made["earlyStopping"]), len(made["reduceLrOnPlateau"]))
