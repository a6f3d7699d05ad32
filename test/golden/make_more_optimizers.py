"""Writes more-optimizers.json: 10 steps of optimizers and of schedules in Keras, each in two configurations or more.

    build/keras/bin/python test/golden/make_more_optimizers.py   # setup as of make_golden.py; seconds

Parameters and gradients are those of optimizers.json. A schedule has its rate at some steps, and 10 steps of SGD that follow it.
"""

import os
import re

os.environ["KERAS_BACKEND"] = "jax"
os.environ.setdefault("JAX_PLATFORMS", "cpu")

import keras
import numpy as np
from make_golden import OPTIMIZER_SIZE, header, optimizer_gradient, significant, uniform, write

STEPS = 10
SAMPLED = [0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 15, 20, 29, 30, 31, 64, 69, 70, 71, 150]
NAMES = {"sgd": "SGD", "adamW": "AdamW", "rmsprop": "RMSprop"}
OPTIMIZERS = [
    ("nadam", {}),
    ("nadam", {"learningRate": 0.05, "beta1": 0.8, "beta2": 0.9, "epsilon": 1e-3, "weightDecay": 0.1}),
    ("adadelta", {}),
    ("adadelta", {"learningRate": 1.0, "rho": 0.8, "epsilon": 1e-3, "weightDecay": 0.1}),
    ("adamax", {}),
    ("adamax", {"learningRate": 0.05, "beta1": 0.8, "beta2": 0.9, "epsilon": 1e-3, "weightDecay": 0.1}),
    ("lion", {}),
    ("lion", {"learningRate": 0.05, "beta1": 0.8, "beta2": 0.9, "weightDecay": 0.1}),
    ("sgd", {"learningRate": 0.05, "weightDecay": 0.1}),
    ("sgd", {"learningRate": 0.05, "momentum": 0.9, "nesterov": True, "weightDecay": 0.1}),
    ("adam", {"learningRate": 0.05, "weightDecay": 0.1}),
    ("rmsprop", {"learningRate": 0.05, "momentum": 0.5, "weightDecay": 0.1}),
    ("adagrad", {"learningRate": 0.05, "weightDecay": 0.1}),
]
SCHEDULES = [
    ("exponentialDecay", {"initialLearningRate": 0.5, "decaySteps": 7, "decayRate": 0.6}),
    ("exponentialDecay", {"initialLearningRate": 0.5, "decaySteps": 3, "decayRate": 0.9, "staircase": True}),
    ("exponentialDecay", {"initialLearningRate": 0.001, "decaySteps": 40, "decayRate": 3.0}),
    ("inverseTimeDecay", {"initialLearningRate": 0.5, "decaySteps": 2.5, "decayRate": 0.5}),
    ("inverseTimeDecay", {"initialLearningRate": 0.5, "decaySteps": 3, "decayRate": 0.5, "staircase": True}),
    ("polynomialDecay", {"initialLearningRate": 0.5, "decaySteps": 7}),
    ("polynomialDecay", {"initialLearningRate": 0.5, "decaySteps": 7, "endLearningRate": 0.1, "power": 2.0, "cycle": True}),
    ("polynomialDecay", {"initialLearningRate": 0.5, "decaySteps": 64, "endLearningRate": 0.01, "power": 0.5}),
    ("cosineDecay", {"initialLearningRate": 0.5, "decaySteps": 64}),
    ("cosineDecay", {"initialLearningRate": 0.1, "decaySteps": 7, "alpha": 0.2, "warmupTarget": 0.5, "warmupSteps": 4}),
    ("cosineDecayRestarts", {"initialLearningRate": 0.5, "firstDecaySteps": 10}),
    ("cosineDecayRestarts", {"initialLearningRate": 0.5, "firstDecaySteps": 4, "tMul": 1.0, "mMul": 0.9, "alpha": 0.1}),
    ("piecewiseConstantDecay", {"boundaries": [3, 7], "values": [0.5, 0.25, 0.1]}),
    ("piecewiseConstantDecay", {"boundaries": [5], "values": [1.0, 0.001]}),
]


def in_keras(options):
    return {re.sub(r"([A-Z12])", r"_\1", name).lower(): value for name, value in options.items()}


def class_of(name):
    return NAMES.get(name, name[0].upper() + name[1:])


def stepped(optimizer):
    variable = keras.Variable((2 * uniform(1, np.arange(OPTIMIZER_SIZE)) - 1).astype(np.float32))
    parameters = []
    for step in range(1, STEPS + 1):
        optimizer.apply([optimizer_gradient(step)], [variable])
        parameters.append([significant(float(p)) for p in np.asarray(variable)])
    return parameters


def run(name, options):
    optimizer = getattr(keras.optimizers, class_of(name))(**in_keras(options))
    return {"optimizer": name, "options": options, "parameters": stepped(optimizer)}


def followed(name, options):
    schedule = getattr(keras.optimizers.schedules, class_of(name))(**in_keras(options))
    rates = [significant(float(schedule(np.int32(step)))) for step in SAMPLED]
    parameters = stepped(keras.optimizers.SGD(learning_rate=schedule))
    return {"schedule": name, "options": options, "rates": rates, "parameters": parameters}


write(
    "more-optimizers",
    {
        **header(),
        "sampled": SAMPLED,
        "runs": [run(*each) for each in OPTIMIZERS],
        "schedules": [followed(*each) for each in SCHEDULES],
    },
)
