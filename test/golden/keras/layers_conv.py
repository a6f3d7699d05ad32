"""Cases of convolutions, of layers that multiply by a kernel, and of regularizers."""

from layers import case

IMAGES = (2, 6, 5, 4)
ROWS = (3, 9, 4)
L1 = {"className": "L1", "config": {"l1": 0.05}}
L2 = {"className": "L2", "config": {"l2": 0.05}}
BOTH = {"className": "L1L2", "config": {"l1": 0.03, "l2": 0.02}}
ORTHOGONAL = {"className": "OrthogonalRegularizer", "config": {"factor": 0.05, "mode": "rows"}}
COLUMNS = {"className": "OrthogonalRegularizer", "config": {"factor": 0.05, "mode": "columns"}}

CASES = [
    case("3x3", "Conv2D", {"filters": 4, "kernelSize": 3}, IMAGES),
    case("strides, same", "Conv2D", {"filters": 3, "kernelSize": [2, 3], "strides": [2, 1], "padding": "same"}, IMAGES),
    case("dilation", "Conv2D", {"filters": 4, "kernelSize": [3, 2], "dilationRate": [2, 3]}, IMAGES),
    case("dilation, same", "Conv2D", {"filters": 3, "kernelSize": 3, "dilationRate": 2, "padding": "same"}, IMAGES),
    case("groups", "Conv2D", {"filters": 6, "kernelSize": 3, "groups": 2}, IMAGES),
    case("groups, strides, same, relu", "Conv2D",
         {"filters": 4, "kernelSize": 3, "groups": 4, "strides": 2, "padding": "same", "activation": "tanh"}, IMAGES),
    case("groups and dilation", "Conv2D",
         {"filters": 4, "kernelSize": 2, "groups": 2, "dilationRate": 2, "useBias": False}, IMAGES),
    case("valid", "DepthwiseConv2D", {"kernelSize": 3}, IMAGES),
    case("multiplier, same", "DepthwiseConv2D", {"kernelSize": [3, 2], "depthMultiplier": 2, "padding": "same", "activation": "relu"}, IMAGES),
    case("strides", "DepthwiseConv2D", {"kernelSize": 2, "strides": 2, "padding": "same", "depthMultiplier": 3}, IMAGES),
    case("dilation", "DepthwiseConv2D", {"kernelSize": 3, "dilationRate": 2, "padding": "same"}, IMAGES),
    case("valid", "SeparableConv2D", {"filters": 5, "kernelSize": 3}, IMAGES),
    case("multiplier, strides, same", "SeparableConv2D",
         {"filters": 3, "kernelSize": 3, "strides": 2, "padding": "same", "depthMultiplier": 2, "activation": "tanh"}, IMAGES),
    case("dilation", "SeparableConv2D", {"filters": 3, "kernelSize": 2, "dilationRate": 2, "useBias": False}, IMAGES),
    case("valid", "Conv2DTranspose", {"filters": 3, "kernelSize": 3}, (3, 4, 3, 4)),
    case("strides, same", "Conv2DTranspose", {"filters": 3, "kernelSize": 3, "strides": 2, "padding": "same"}, (3, 4, 3, 4)),
    case("strides, valid", "Conv2DTranspose", {"filters": 2, "kernelSize": [2, 3], "strides": [3, 2], "activation": "tanh"}, (3, 4, 3, 4)),
    case("output padding", "Conv2DTranspose",
         {"filters": 2, "kernelSize": 3, "strides": 2, "padding": "same", "outputPadding": 0}, (3, 4, 3, 4)),
    case("dilation", "Conv2DTranspose", {"filters": 2, "kernelSize": 2, "dilationRate": 2}, (3, 4, 3, 4)),
    case("valid", "Conv1D", {"filters": 4, "kernelSize": 3}, ROWS),
    case("strides, same", "Conv1D", {"filters": 3, "kernelSize": 4, "strides": 2, "padding": "same"}, ROWS),
    case("causal", "Conv1D", {"filters": 3, "kernelSize": 3, "padding": "causal"}, ROWS),
    case("dilation", "Conv1D", {"filters": 3, "kernelSize": 3, "dilationRate": 2, "padding": "causal", "activation": "tanh"}, ROWS),
    case("groups", "Conv1D", {"filters": 4, "kernelSize": 2, "groups": 2}, ROWS),
    case("rank 2", "Dense", {"units": 5}, (3, 7)),
    case("rank 2, tanh, no bias", "Dense", {"units": 3, "activation": "tanh", "useBias": False}, (3, 7)),
    case("rank 3", "Dense", {"units": 5}, (3, 4, 7)),
    case("rank 4", "Dense", {"units": 3, "activation": "sigmoid"}, (3, 2, 2, 7)),
    case("kernel L1", "Dense", {"units": 5, "kernelRegularizer": L1}, (3, 7)),
    case("kernel L2, bias L1", "Dense", {"units": 5, "kernelRegularizer": L2, "biasRegularizer": L1}, (3, 7)),
    case("L1L2", "Dense", {"units": 5, "kernelRegularizer": BOTH}, (3, 7)),
    case("orthogonal rows", "Dense", {"units": 5, "kernelRegularizer": ORTHOGONAL}, (3, 7)),
    case("orthogonal columns", "Dense", {"units": 5, "kernelRegularizer": COLUMNS}, (3, 7)),
    case("kernel L2", "Conv2D", {"filters": 4, "kernelSize": 3, "kernelRegularizer": L2}, IMAGES),
    case("activity L2", "Dense", {"units": 5, "activityRegularizer": L2}, (3, 7)),
    case("one index a sample", "Embedding", {"inputDim": 6, "outputDim": 4}, (3, 1), integers=6),
    case("rows of indices", "Embedding", {"inputDim": 5, "outputDim": 3}, (3, 7), integers=5),
]
