"""Writes constraints.json: what Keras's constraints make of given weights.

    KERAS_BACKEND=jax python -P test/golden/make_constraints.py
"""

import json
import pathlib

import keras
import numpy

CASES = [
    ("maxNorm", "MaxNorm", {"maxValue": 1.5}, [7, 5]),
    ("maxNorm", "MaxNorm", {"maxValue": 0.9, "axis": [0, 1, 2]}, [3, 3, 2, 5]),
    ("maxNorm", "MaxNorm", {"maxValue": 0.5, "axis": 1}, [65, 3]),
    ("minMaxNorm", "MinMaxNorm", {"minValue": 0.5, "maxValue": 1.2, "rate": 0.7}, [6, 9]),
    ("minMaxNorm", "MinMaxNorm", {"minValue": 3, "maxValue": 4, "axis": [0, 1]}, [2, 3, 4]),
    ("unitNorm", "UnitNorm", {}, [130, 2]),
    ("unitNorm", "UnitNorm", {"axis": [0, 2]}, [3, 4, 2]),
    ("unitNorm", "UnitNorm", {}, [1]),
    ("nonNeg", "NonNeg", {}, [5, 3]),
]
NAMES = {"maxValue": "max_value", "minValue": "min_value"}

numbers = numpy.random.default_rng(7)
cases = []
for name, keras_name, options, shape in CASES:
    w = numbers.uniform(-1, 1, shape).astype("float32")
    constraint = getattr(keras.constraints, keras_name)(**{NAMES.get(k, k): v for k, v in options.items()})
    y = numpy.asarray(constraint(keras.ops.convert_to_tensor(w)))
    flat = lambda a: [float(f"{x:.9g}") for x in a.ravel()]
    cases.append({"name": name, "options": options, "shape": shape, "w": flat(w), "y": flat(y)})
pathlib.Path(__file__).with_name("constraints.json").write_text(json.dumps({"keras": keras.__version__, "cases": cases}) + "\n")
