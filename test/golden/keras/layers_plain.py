"""Cases of layers without a kernel: pooling, shapes, normalization, noise, merging, activations as layers."""

from layers import case

IMAGES = (2, 6, 5, 4)
ROWS = (3, 9, 4)
SHORT = (3, 7)


def pooled(kind):
    return [
        case("2x2", f"{kind}Pooling2D", {"poolSize": 2}, IMAGES),
        case("overlapping, same", f"{kind}Pooling2D", {"poolSize": [3, 2], "strides": [2, 1], "padding": "same"}, IMAGES),
        case("strides beyond the window", f"{kind}Pooling2D", {"poolSize": 2, "strides": 3}, IMAGES),
        case("2", f"{kind}Pooling1D", {"poolSize": 2}, ROWS),
        case("overlapping, same", f"{kind}Pooling1D", {"poolSize": 3, "strides": 2, "padding": "same"}, ROWS),
    ]


def global_pooled(kind):
    return [
        case("default", f"Global{kind}Pooling2D", {}, IMAGES),
        case("keepdims", f"Global{kind}Pooling2D", {"keepdims": True}, IMAGES),
        case("default", f"Global{kind}Pooling1D", {}, ROWS),
        case("keepdims", f"Global{kind}Pooling1D", {"keepdims": True}, ROWS),
    ]


def merged(kind):
    return [
        case("two", kind, {}, IMAGES, IMAGES),
        case("vectors", kind, {}, SHORT, SHORT),
        case("spread over an axis of 1", kind, {}, IMAGES, (2, 1, 1, 4)),
    ] + ([] if kind == "Subtract" else [case("three", kind, {}, IMAGES, IMAGES, IMAGES)])


SHAPES = [
    case("images", "Flatten", {}, IMAGES),
    case("vectors", "Flatten", {}, SHORT),
    case("images", "Reshape", {"targetShape": [10, 12]}, IMAGES),
    case("the rest", "Reshape", {"targetShape": [-1, 6]}, IMAGES),
    case("rows", "Permute", {"dims": [2, 1]}, ROWS),
    case("images", "Permute", {"dims": [3, 1, 2]}, IMAGES),
    case("one number", "ZeroPadding2D", {"padding": 1}, IMAGES),
    case("each side", "ZeroPadding2D", {"padding": [[1, 0], [2, 3]]}, IMAGES),
    case("rows", "ZeroPadding1D", {"padding": [1, 2]}, ROWS),
    case("one number", "ZeroPadding1D", {"padding": 2}, ROWS),
    case("one number", "Cropping2D", {"cropping": 1}, IMAGES),
    case("each side", "Cropping2D", {"cropping": [[0, 2], [1, 1]]}, IMAGES),
    case("rows", "Cropping1D", {"cropping": [1, 2]}, ROWS),
    case("one number", "Cropping1D", {"cropping": 2}, ROWS),
    case("nearest", "UpSampling2D", {}, IMAGES),
    case("nearest, unequal", "UpSampling2D", {"size": [3, 2]}, IMAGES),
    case("bilinear", "UpSampling2D", {"interpolation": "bilinear"}, IMAGES),
    case("bilinear, unequal", "UpSampling2D", {"size": [3, 2], "interpolation": "bilinear"}, IMAGES),
    case("rows", "UpSampling1D", {"size": 3}, ROWS),
    case("default", "UpSampling1D", {}, ROWS),
    case("bilinear, larger", "Resizing", {"height": 9, "width": 8}, IMAGES),
    case("bilinear, smaller", "Resizing", {"height": 4, "width": 3}, IMAGES),
    case("nearest", "Resizing", {"height": 8, "width": 3, "interpolation": "nearest"}, IMAGES),
    case("antialias", "Resizing", {"height": 4, "width": 2, "antialias": True}, IMAGES),
    case("cropped to the ratio", "Resizing", {"height": 4, "width": 9, "cropToAspectRatio": True}, IMAGES),
    case("padded to the ratio", "Resizing", {"height": 5, "width": 9, "padToAspectRatio": True, "fillValue": 0.5}, IMAGES),
    case("rows", "RepeatVector", {"n": 3}, SHORT),
    case("identity", "Identity", {}, SHORT),
]

NORMALIZED = [
    case("images", "BatchNormalization", {"momentum": 0.9}, IMAGES, rate=0.001),
    case("vectors", "BatchNormalization", {"momentum": 0.8, "epsilon": 0.01}, (6, 7), rate=0.01),
    case("neither scale nor center", "BatchNormalization", {"scale": False, "center": False}, IMAGES),
    case("another axis", "BatchNormalization", {"axis": 1, "momentum": 0.9}, IMAGES, rate=0.001),
    case("images", "LayerNormalization", {}, IMAGES, rate=0.001),
    case("vectors", "LayerNormalization", {"epsilon": 0.01, "center": False}, SHORT, rate=0.01),
    case("several axes", "LayerNormalization", {"axis": [1, 2, 3]}, IMAGES, rate=0.001),
    case("no scale", "LayerNormalization", {"scale": False}, SHORT, rate=0.01),
    case("two groups", "GroupNormalization", {"groups": 2}, IMAGES, rate=0.001),
    case("instances", "GroupNormalization", {"groups": -1, "epsilon": 0.01}, IMAGES, rate=0.001),
    case("one group", "GroupNormalization", {"groups": 1, "scale": False}, IMAGES, rate=0.001),
    case("unit length", "UnitNormalization", {}, SHORT),
    case("another axis", "UnitNormalization", {"axis": 1}, IMAGES),
    case("images", "RMSNormalization", {}, IMAGES, rate=0.001),
    case("vectors", "RMSNormalization", {"epsilon": 0.01}, SHORT, rate=0.01),
    case("rate 0", "Dropout", {"rate": 0}, IMAGES),
    case("inference", "Dropout", {"rate": 0.4}, IMAGES, mode="inference"),
    case("rate 0", "SpatialDropout2D", {"rate": 0}, IMAGES),
    case("inference", "SpatialDropout2D", {"rate": 0.4}, IMAGES, mode="inference"),
    case("inference", "GaussianNoise", {"stddev": 0.3}, IMAGES, mode="inference"),
    case("vectors, inference", "GaussianNoise", {"stddev": 0.3}, SHORT, mode="inference"),
    case("inference", "GaussianDropout", {"rate": 0.3}, IMAGES, mode="inference"),
    case("vectors, inference", "GaussianDropout", {"rate": 0.3}, SHORT, mode="inference"),
    case("scale", "Rescaling", {"scale": 0.25}, IMAGES),
    case("scale and offset", "Rescaling", {"scale": 2.5, "offset": -1}, SHORT),
    case("given", "Normalization", {"mean": [0.1, -0.2, 0.3, 0.4], "variance": [1, 2, 0.5, 0.25]}, IMAGES, mode="inference"),
    case("inverse", "Normalization", {"mean": 0.5, "variance": 4, "invert": True}, SHORT, mode="inference"),
    case("adapted", "Normalization", {}, IMAGES, mode="inference", adapt=True),
    case("adapted, all numbers alike", "Normalization", {"axis": None}, IMAGES, mode="inference", adapt=True),
]

MERGED = [each for kind in ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum") for each in merged(kind)] + [
    case("channels", "Concatenate", {}, IMAGES, (2, 6, 5, 2)),
    case("rows", "Concatenate", {"axis": 1}, IMAGES, (2, 2, 5, 4)),
    case("three vectors", "Concatenate", {"axis": -1}, SHORT, (3, 2), (3, 4)),
    case("vectors", "Dot", {"axes": 1}, SHORT, SHORT),
    case("cosine", "Dot", {"axes": -1, "normalize": True}, SHORT, SHORT),
    case("matrices", "Dot", {"axes": [2, 1]}, ROWS, (3, 4, 5)),
]

WIDE = {"low": -8.0, "high": 8.0}
ACTIVATED = [
    case("default", "ReLU", {}, SHORT, **WIDE),
    case("limit, slope and threshold", "ReLU", {"maxValue": 6, "negativeSlope": 0.1, "threshold": 1}, SHORT, **WIDE),
    case("default", "LeakyReLU", {}, SHORT, **WIDE),
    case("slope", "LeakyReLU", {"negativeSlope": 0.05}, SHORT, **WIDE),
    case("vectors", "PReLU", {}, SHORT),
    case("shared axes", "PReLU", {"sharedAxes": [1, 2]}, IMAGES),
    case("default", "ELU", {}, SHORT, **WIDE),
    case("alpha", "ELU", {"alpha": 0.5}, SHORT, **WIDE),
    case("default", "Softmax", {}, IMAGES),
    case("another axis", "Softmax", {"axis": 1}, IMAGES),
    case("activity", "ActivityRegularization", {"l1": 0.1, "l2": 0.2}, SHORT),
    case("images", "ActivityRegularization", {"l1": 0.1}, IMAGES),
]

FAMILIES = {
    "layers-pooling": [*pooled("Max"), *pooled("Average"), *global_pooled("Max"), *global_pooled("Average")],
    "layers-shape": SHAPES,
    "layers-normalization": NORMALIZED,
    "layers-merge": MERGED,
    "layers-activation": ACTIVATED,
}
