"""Writes the golden figures of this folder with Keras 3 on JAX's CPU backend. Development only: the tests read the JSON.

    python3 -m venv build/keras && build/keras/bin/pip install keras==3.15.1 jax==0.10.2 numpy==2.4.6
    build/keras/bin/python test/golden/keras/make.py            # all of them, a few minutes
    build/keras/bin/python test/golden/keras/make.py losses     # one of them

Names and options of the cases are Keras's in camelCase, as the library has them. README.md says what a case is.
"""

import sys

import formula  # chooses the backend


def layers(name, cases):
    from layers import solved

    formula.write(name, [solved(each) for each in cases])


def conv():
    import layers_conv

    layers("layers-kernel", layers_conv.CASES)


def plain(name):
    import layers_plain

    layers(name, layers_plain.FAMILIES[name])


def module(name):
    __import__(name).make()


FILES = {
    "layers-kernel": conv,
    **{f"layers-{each}": (lambda each=each: plain(f"layers-{each}")) for each in ("pooling", "shape", "normalization", "merge", "activation")},
    **{each: (lambda each=each: module(each)) for each in ("activations", "augmentation", "mixing", "losses", "metrics", "initializers", "networks", "optimizers")},
}

for wanted in sys.argv[1:] or FILES:
    FILES[wanted]()
