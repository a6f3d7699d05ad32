"""Averages of weights and accumulated gradients: ten steps of a small network by Keras's own training, and how `fit` ends."""

from formula import classes, drawn, figures, keras_options, numbers, write, written  # chooses the backend

import keras
import numpy as np

ROWS, BATCH, IN, HIDDEN, CLASSES = 38, 4, 4, 5, 3  # ten batches, of which the last is short
MOMENTUM = {"learningRate": 0.2, "momentum": 0.9}
ADAM = {"learningRate": 0.02}
DECAY = {"className": "ExponentialDecay", "config": {"initialLearningRate": 0.3, "decaySteps": 4, "decayRate": 0.5}}


def case(name, class_name, config, **more):
    return {"name": f"{class_name}: {name}", "optimizer": {"className": class_name, "config": config}, **more}


CASES = [
    case("averages", "SGD", MOMENTUM, ema={"momentum": 0.9}),
    case("averages, overwriting", "SGD", MOMENTUM, ema={"momentum": 0.7, "overwriteFrequency": 3}),
    case("averages", "Adam", ADAM, ema={"momentum": 0.8}),
    case("averages, overwriting", "Adam", ADAM, ema={"momentum": 0.99, "overwriteFrequency": 3}),
    case("averages before a constraint", "SGD", {"learningRate": 0.5}, ema={"momentum": 0.8}, constraint="NonNeg"),
    case("accumulation", "SGD", MOMENTUM, accumulation=3),
    case("accumulation", "Adam", ADAM, accumulation=3),
    case("accumulation, amsgrad", "Adam", {**ADAM, "amsgrad": True}, accumulation=2),
    case("accumulation", "Nadam", ADAM, accumulation=2),
    case("accumulation, decay, clipping, schedule", "SGD",
         {"learningRate": DECAY, "weightDecay": 0.1, "momentum": 0.5}, accumulation=3, clip={"globalClipNorm": 0.1}),
    case("accumulation, clipping", "Adam", {**ADAM, "weightDecay": 0.1}, accumulation=3, clip={"clipNorm": 0.05}),
    case("both", "SGD", MOMENTUM, accumulation=3, ema={"momentum": 0.8}),
    case("both, overwriting", "SGD", MOMENTUM, accumulation=3, ema={"momentum": 0.8, "overwriteFrequency": 2}),
    case("both", "Adam", ADAM, accumulation=2, ema={"momentum": 0.9}),
    case("both, overwriting", "Adam", ADAM, accumulation=3, ema={"momentum": 0.6, "overwriteFrequency": 3}),
]


def optimizer_of(golden):
    made, ema = golden["optimizer"], golden.get("ema", {})
    config = {name: schedule(value) if name == "learningRate" else value for name, value in made["config"].items()}
    words = {"clipNorm": "clipnorm", "globalClipNorm": "global_clipnorm"}
    return getattr(keras.optimizers, made["className"])(
        **keras_options(config),
        use_ema="ema" in golden,
        **{f"ema_{name}": value for name, value in keras_options(ema).items()},
        gradient_accumulation_steps=golden.get("accumulation"),
        **{words[name]: limit for name, limit in golden.get("clip", {}).items()},
    )


def schedule(rate):
    return getattr(keras.optimizers.schedules, rate["className"])(**keras_options(rate["config"])) if isinstance(rate, dict) else rate


def model_of(golden, weights):
    constraint = golden.get("constraint")
    model = keras.Sequential([
        keras.Input((IN,)),
        keras.layers.Dense(HIDDEN, activation="tanh", kernel_constraint=constraint and getattr(keras.constraints, constraint)()),
        keras.layers.Dense(CLASSES, activation="softmax"),
    ])
    model.compile(optimizer_of(golden), "sparse_categorical_crossentropy")
    model.set_weights([numbers(each) for each in weights])
    return model


def solved(golden):
    shapes = [(IN, HIDDEN), (HIDDEN,), (HIDDEN, CLASSES), (CLASSES,)]
    weights = [drawn(20 + i, shape, -0.8, 0.8) for i, shape in enumerate(shapes)]
    images, labels = drawn(10, (ROWS, IN)), classes(70, (ROWS,), CLASSES)
    x, y = numbers(images), numbers(labels)
    model = model_of(golden, weights)
    losses, kernels = [], []
    for first in range(0, ROWS, BATCH):
        model.reset_metrics()
        losses.append(float(model.train_on_batch(x[first : first + BATCH], y[first : first + BATCH])))
        kernels.append(figures(model.get_weights()[0]))
    after = [written(each) for each in model.get_weights()]
    model.optimizer.finalize_variable_values(model.trainable_variables)
    ended = model.get_weights()
    twin = model_of(golden, weights)
    twin.fit(x, y, batch_size=BATCH, shuffle=False, verbose=0)
    if not all(np.array_equal(a, b) for a, b in zip(ended, twin.get_weights())):
        raise ValueError(f"{golden['name']}: fit does not end as the steps do")
    changed = [a != b for a, b in zip([figures(numbers(weights[0])), *kernels], kernels)]
    return {
        **golden,
        "x": images,
        "y": labels,
        "batch": BATCH,
        "weights": weights,
        "losses": figures(losses),
        "kernels": kernels,
        "changed": changed,
        "after": after,
        "ended": [written(each) for each in ended],
    }


def make():
    write("optimizers", [solved(each) for each in CASES])
