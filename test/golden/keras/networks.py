"""Five networks and 20 SGD steps of each, with near-ties kept away: README.md says why and how."""

from formula import drawn, figure, figures, keras_options, numbers, one_hot, write, written  # chooses the backend

import keras
import numpy as np
from layers import weight

STEPS, BATCHES, ROWS, CLASSES = 20, 5, 4, 5
RUNS, UNMOVED = 12, 2e-5
RATES = (0.1, 0.08, 0.12, 0.06, 0.05, 0.04, 0.03)
FAST = (1.0, 0.9, 0.8, 0.7, 0.6)  # for the mean over many pixels


class Functional:
    """Writes a functional config as the library's toConfig does: values are numbered, inputs first."""

    def __init__(self, name, shape):
        self.name, self.shape, self.layers, self.uses = name, shape, [], []

    def __call__(self, class_name, value, **config):
        name = f"{class_name.lower()}_{len(self.layers)}"
        self.layers.append({"className": class_name, "config": {"name": name, **config}})
        self.uses.append({"layer": name, "inputs": [value] if isinstance(value, int) else list(value)})
        return len(self.uses)

    def config(self, output):
        return {
            "className": "Functional",
            "version": 1,
            "name": self.name,
            "inputs": [{"name": "input", "shape": self.shape}],
            "layers": self.layers,
            "uses": self.uses,
            "outputs": [{"name": self.uses[output - 1]["layer"], "value": output}],
            "single": True,
        }


def lenet():
    net = Functional("lenet", [16, 16, 1])
    x = net("Conv2D", 0, filters=6, kernelSize=5, activation="tanh", padding="same")
    x = net("AveragePooling2D", x, poolSize=2)
    x = net("Conv2D", x, filters=8, kernelSize=3, activation="tanh")
    x = net("AveragePooling2D", x, poolSize=2)
    x = net("Flatten", x)
    x = net("Dense", x, units=24, activation="tanh")
    x = net("Dense", x, units=16, activation="tanh")
    return net.config(net("Dense", x, units=CLASSES, activation="softmax"))


def vgg():
    net = Functional("vgg", [12, 12, 2])
    x = 0
    for filters in (4, 8):
        for _ in range(2):
            x = net("Conv2D", x, filters=filters, kernelSize=3, padding="same")
            x = net("BatchNormalization", x, momentum=0.9)
            x = net("Activation", x, activation="relu")
        x = net("MaxPooling2D", x, poolSize=2)
        x = net("Dropout", x, rate=0)
    x = net("Flatten", x)
    x = net("Dense", x, units=16, activation="relu")
    return net.config(net("Dense", x, units=CLASSES, activation="softmax"))


def resnet():
    net = Functional("resnet", [12, 12, 2])
    norm = lambda x: net("BatchNormalization", x, momentum=0.9)
    relu = lambda x: net("Activation", x, activation="relu")
    conv = lambda x, filters, size=3, strides=1: norm(
        net("Conv2D", x, filters=filters, kernelSize=size, strides=strides, padding="same", useBias=False)
    )
    x = relu(conv(0, 4))
    for filters, strides in ((4, 1), (8, 2)):
        y = conv(relu(conv(x, filters, strides=strides)), filters)
        short = x if strides == 1 else conv(x, filters, size=1, strides=strides)
        x = relu(net("Add", [y, short]))
    x = net("GlobalAveragePooling2D", x)
    return net.config(net("Dense", x, units=CLASSES, activation="softmax"))


def mobilenet():
    net = Functional("mobilenet", [12, 12, 2])

    def block(x, class_name, **config):
        x = net(class_name, x, padding="same", useBias=False, **config)
        x = net("BatchNormalization", x, momentum=0.9)
        return net("ReLU", x, maxValue=6)

    x = block(0, "Conv2D", filters=4, kernelSize=3, strides=2)
    for filters, strides in ((6, 1), (8, 2)):
        x = block(x, "DepthwiseConv2D", kernelSize=3, strides=strides)
        x = block(x, "Conv2D", filters=filters, kernelSize=1)
    x = net("GlobalAveragePooling2D", x)
    return net.config(net("Dense", x, units=CLASSES, activation="softmax"))


def unet():
    net = Functional("unet", [12, 12, 1])
    conv = lambda x, filters: net("Conv2D", x, filters=filters, kernelSize=3, padding="same", activation="relu")
    top = conv(conv(0, 4), 4)
    x = net("MaxPooling2D", top, poolSize=2)
    middle = conv(x, 6)
    x = conv(net("MaxPooling2D", middle, poolSize=2), 8)
    x = net("Conv2DTranspose", x, filters=6, kernelSize=2, strides=2)
    x = conv(net("Concatenate", [x, middle]), 6)
    x = net("Conv2DTranspose", x, filters=4, kernelSize=3, strides=2, padding="same")
    x = conv(net("Concatenate", [x, top]), 4)
    return net.config(net("Conv2D", x, filters=3, kernelSize=1, activation="softmax"))


def keras_model(config):
    """Keras's model of a functional config."""
    values = [keras.Input(each["shape"], name=each["name"]) for each in config["inputs"]]
    made = {
        each["config"]["name"]: getattr(keras.layers, each["className"])(**keras_options(each["config"]))
        for each in config["layers"]
    }
    for use in config["uses"]:
        inputs = [values[i] for i in use["inputs"]]
        values.append(made[use["layer"]](inputs if len(inputs) > 1 else inputs[0]))
    return keras.Model(values[0], values[config["outputs"][0]["value"]])


def training(model, x, labels, weights, rate):
    """Losses of the steps by Keras's own training, which is compiled once a network. The model keeps what it learned."""
    model.set_weights(weights)
    model.optimizer.learning_rate.assign(rate)
    logs = []
    for step in range(STEPS):
        part = slice(step % BATCHES * ROWS, (step % BATCHES + 1) * ROWS)
        model.reset_metrics()
        logs.append(model.train_on_batch(x[part], labels[part], return_dict=True))
    return [float(each["loss"]) for each in logs]


def solved(config):
    model = keras_model(config)
    model.compile(keras.optimizers.SGD(0.1), "categorical_crossentropy")
    images = drawn(10, (BATCHES * ROWS, *config["inputs"][0]["shape"]), 0.0, 1.0)
    # A pixel's class is by its own grey. An image's is by chance.
    labels = one_hot(10 if config["name"] == "unet" else 70, (BATCHES * ROWS, *model.output_shape[1:]))
    weights = [dict(name=v.path, **weight(20 + i, v)) for i, v in enumerate(model.weights)]
    x, y, first = numbers(images), numbers(labels), [numbers(each) for each in weights]
    rate, losses, spread = steady(model, config["name"], x, y, first)
    if training(model, x, y, first, rate) != losses:
        raise ValueError(f"{config['name']} does not repeat itself")
    model.reset_metrics()
    evaluated = float(model.test_on_batch(x, y, return_dict=True)["loss"])
    return {
        "name": config["name"],
        "model": config,
        "x": images,
        "y": labels,
        "batch": ROWS,
        "rate": rate,
        "weights": weights,
        "losses": figures(losses),
        "spread": figure(spread),
        "after": [written(v) for v in model.weights],
        "evaluated": figure(evaluated),
        "predicted": written(model(x[:ROWS], training=False)),
    }


def steady(model, name, x, y, first):
    """The first rate whose runs from weights perturbed by 1e-6 stay: no near-tie is crossed."""
    for rate in FAST if name == "unet" else RATES:
        losses = training(model, x, y, first, rate)
        if not (np.isfinite(losses).all() and np.mean(losses[-5:]) < 0.97 * np.mean(losses[:5])):
            continue
        spread = 0.0
        for run in range(RUNS):
            random = np.random.default_rng(run)
            near = [(w * (1 + 1e-6 * random.uniform(-1, 1, w.shape))).astype(np.float32) for w in first]
            others = training(model, x, y, near, rate)
            spread = max(spread, float(np.max(np.abs(np.array(others) - losses) / np.array(losses))))
        print(name, "rate", rate, "losses", losses[0], losses[-1], "spread", spread, flush=True)
        if spread < UNMOVED:
            return rate, losses, spread
    raise ValueError(f"{name}: no rate is steady")


def make():
    write("networks", [solved(each()) for each in (lenet, vgg, resnet, mobilenet, unet)])
