"""Initializers: numbers of those without a draw; bounds, means and deviations of the others."""

from formula import figure, figures, keras_options, write  # chooses the backend

import keras
import numpy as np

SHAPES = ((3, 3, 8, 16), (64, 48))
SCALED = ("glorotUniform", "glorotNormal", "heUniform", "heNormal", "lecunUniform", "lecunNormal")


def names():
    for shape in SHAPES:
        for name in SCALED:
            yield name, {}, shape
        for mode in ("fanIn", "fanOut", "fanAvg"):
            for distribution in ("uniform", "truncatedNormal", "untruncatedNormal"):
                yield "varianceScaling", {"scale": 2, "mode": mode, "distribution": distribution}, shape
    for name, config in (
        ("randomNormal", {}),
        ("randomNormal", {"mean": 0.5, "stddev": 0.2}),
        ("randomUniform", {}),
        ("randomUniform", {"minval": 0.1, "maxval": 0.7}),
        ("truncatedNormal", {}),
        ("truncatedNormal", {"mean": -0.5, "stddev": 0.2}),
    ):
        yield name, config, SHAPES[1]


def bounds(name, config, shape):
    """The law that Keras draws from: of a uniform its bounds, of a normal its mean and deviation, before it is cut off at two of them."""
    calls = []
    module = keras.src.initializers.random_initializers.random
    before = {law: getattr(module, law) for law in ("uniform", "normal", "truncated_normal")}

    def spy(law):
        def call(shape, *args, **options):
            calls.append((law, args, options))
            return before[law](shape, *args, **options)

        return call

    try:
        for law in before:
            setattr(module, law, spy(law))
        made = getattr(keras.initializers, name[0].upper() + name[1:])
        values = np.asarray(made(**keras_options(config), seed=1)(shape))
    finally:
        for law, call in before.items():
            setattr(module, law, call)
    [(law, args, options)] = calls
    first = options.get("minval", options.get("mean", args[0] if args else 0.0))
    second = options.get("maxval", options.get("stddev", args[1] if len(args) > 1 else 1.0))
    law = {"truncated_normal": "truncatedNormal"}.get(law, law)
    return {
        "name": f"{name} {'x'.join(map(str, shape))} {config or ''}".strip(),
        "initializer": name,
        "config": config,
        "shape": list(shape),
        "law": law,
        **dict(zip(("low", "high") if law == "uniform" else ("mean", "deviation"), figures([first, second]))),
        "drawn": {"mean": figure(values.mean()), "deviation": figure(values.std())},
    }


def given():
    for name, config, shape in (
        ("zeros", {}, (2, 3)),
        ("ones", {}, (2, 3)),
        ("constant", {"value": 0.3}, (2, 3)),
        ("identity", {"gain": 0.5}, (3, 3)),
        ("identity", {}, (2, 4)),
    ):
        made = getattr(keras.initializers, name[0].upper() + name[1:])(**config)
        named = {"name": f"{name} {config or ''}".strip(), "initializer": name, "config": config}
        yield {**named, "shape": list(shape), "values": figures(made(shape))}


def orthogonal():
    """Rows or columns of length `gain` at right angles: products of the matrix with itself, whatever was drawn."""
    for shape, gain in (((6, 4), 1.0), ((3, 3, 2, 5), 1.4)):
        values = np.asarray(keras.initializers.Orthogonal(gain=gain, seed=1)(shape)).reshape(-1, shape[-1])
        products = values.T @ values if values.shape[0] >= values.shape[1] else values @ values.T
        assert np.allclose(products, gain**2 * np.eye(len(products)), atol=1e-5)
        named = {"name": f"orthogonal {'x'.join(map(str, shape))}", "initializer": "orthogonal", "config": {"gain": gain}}
        yield {**named, "shape": list(shape), "square": figure(gain**2)}


def make():
    write("initializers", [*given(), *orthogonal(), *(bounds(*each) for each in names())])
