"""What Keras makes of a layer: outputs in inference and in training, gradients, and ten SGD steps."""

from formula import classes, drawn, figure, figures, keras_options, numbers, written  # chooses the backend

import jax
import keras
import numpy as np

INPUT, WEIGHT, GRADIENT, TARGET = 10, 20, 50, 60  # streams
STEPS = 10


def case(name, class_name, config, *shapes, low=-1.0, high=1.0, integers=0, rate=None, mode=None, adapt=False):
    """A case of a layer on inputs of these shapes, with their batch. `integers` inputs are class numbers below it."""
    inputs = [
        classes(INPUT + i, shape, integers) if integers else drawn(INPUT + i, shape, low, high)
        for i, shape in enumerate(shapes)
    ]
    return {
        "name": f"{class_name}: {name}",
        "layer": {"className": class_name, "config": config},
        "inputs": inputs,
        "rate": rate,
        "mode": mode,
        "adapt": adapt,
    }


def weight(stream, variable):
    """First numbers of a weight: positive for what multiplies or divides, of a fan's size for a kernel."""
    shape = variable.shape
    if variable.name in ("gamma", "moving_variance", "variance"):
        return drawn(stream, shape, 0.5, 1.5)
    if len(shape) < 2:
        return drawn(stream, shape, -0.3, 0.3)
    limit = min(0.7, float(np.sqrt(3 / np.prod(shape[:-1]))))
    return drawn(stream, shape, -round(limit, 3), round(limit, 3))


def squared_error(wanted, got):
    """Each sample's sum of squares: what the steps are trained by. test/support/squared-error.ts is the same."""
    return keras.ops.sum(keras.ops.square(wanted - got), axis=tuple(range(1, len(got.shape))))


def solved(case):
    """The case with what Keras says of it."""
    class_name, config = case["layer"]["className"], case["layer"]["config"]
    x = [numbers(each) for each in case["inputs"]]
    layer = getattr(keras.layers, class_name)(**keras_options(config))
    if case["adapt"]:
        layer.adapt(x[0])
    else:
        del case["adapt"]
    symbols = [keras.Input(each.shape[1:], batch_size=each.shape[0], dtype=each.dtype) for each in x]
    together = (lambda values: values[0]) if len(x) == 1 else (lambda values: list(values))
    model = keras.Model(symbols, layer(together(symbols)))
    weights = [weight(WEIGHT + i, variable) for i, variable in enumerate(layer.weights)]
    adapted = class_name == "Normalization"
    if not adapted:
        layer.set_weights([numbers(each) for each in weights])
    mode, rate = case.pop("mode"), case.pop("rate")
    learned = [variable.value for variable in layer.trainable_variables]
    others = [variable.value for variable in layer.non_trainable_variables]
    flags = lambda training: {"training": training} if layer._call_has_training_arg else {}

    def call(x, learned, training):
        return layer.stateless_call(learned, others, together(x), **flags(training))

    out, _ = call(x, learned, False)
    made = {**case, "weights": [] if adapted else [dict(name=v.name, **w) for v, w in zip(layer.weights, weights)]}
    made["y"] = written(out)
    if mode == "inference":
        return made
    trained, after = call(x, learned, True)
    if not np.array_equal(trained, out):
        made["yTraining"] = written(trained)
    statistics = [(v.name, value) for v, value in zip(layer.non_trainable_variables, after) if any(v is w for w in layer.weights)]
    if statistics and not adapted:
        made["statistics"] = [dict(name=name, **written(value)) for name, value in statistics]
    dy = numbers(drawn(GRADIENT, out.shape))
    whole = np.issubdtype(x[0].dtype, np.integer)
    if whole:
        _, back = jax.vjp(lambda learned: call(x, learned, True)[0], learned)
        made["dweights"] = [written(each) for each in back(dy)[0]]
        made["dx"] = []
    else:
        _, back = jax.vjp(lambda x, learned: call(x, learned, True)[0], x, learned)
        dx, dweights = back(dy)
        made["dx"] = [written(each) for each in dx]
        made["dweights"] = [written(each) for each in dweights]
    if learned:
        made["steps"] = steps(model, x, out.shape, rate)
    return made


def steps(model, x, shape, rate):
    """Losses of ten steps by Keras's own training, and the weights after them."""
    size = int(np.prod(shape[1:]))
    rate = rate or figure(0.3 / size)
    target = drawn(TARGET, shape)
    model.compile(keras.optimizers.SGD(rate), squared_error)
    wanted = numbers(target)
    losses = [float(model.train_on_batch(x, wanted)) for _ in range(STEPS)]
    if not losses[-1] < 0.995 * losses[0]:
        raise ValueError(f"{model.layers[-1].name} does not learn at {rate}: {losses}")
    after = [dict(name=v.name, **written(v)) for v in model.weights]
    return {"rate": rate, "target": target, "losses": figures(losses), "weights": after}
