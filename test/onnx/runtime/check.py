"""Runs ONNX files in ONNX Runtime and compares with what featuremap predicted. `npm run test:onnx` calls it with a folder."""

import base64
import glob
import json
import sys

import numpy as np
import onnx
import onnxruntime as ort


def array(packed, nchw):
    data = np.frombuffer(base64.b64decode(packed["data"]), dtype="<f4").reshape(packed["shape"])
    return np.ascontiguousarray(data.transpose(0, 3, 1, 2)) if nchw and data.ndim == 4 else data


def check(path):
    """The largest difference, and the share of the tolerance that it takes."""
    case = json.load(open(path))
    file = path.replace(".json", ".onnx")
    onnx.checker.check_model(file, full_check=True)
    session = ort.InferenceSession(file, providers=["CPUExecutionProvider"])
    nchw = case["layout"] == "nchw"
    inputs = {each["name"]: array(each, nchw) for each in case["inputs"]}
    outputs = {each["name"]: array(each, nchw) for each in case["outputs"]}
    assert [each.name for each in session.get_inputs()] == list(inputs), "names of inputs"
    assert [each.name for each in session.get_outputs()] == list(outputs), "names of outputs"
    worst = share = 0.0
    # The batch axis may have any size.
    for rows in (3, 1, 2):
        got = session.run(list(outputs), {name: data[:rows] for name, data in inputs.items()})
        for name, made in zip(outputs, got):
            want = outputs[name][:rows]
            assert made.shape == want.shape, f"{name}: got {made.shape}, want {want.shape}"
            difference = np.abs(made.astype("f8") - want)
            allowed = case["atol"] + case["rtol"] * np.abs(want)
            assert not (~(difference <= allowed)).any(), f"{name}: {difference.max()} off"
            worst = max(worst, difference.max())
            share = max(share, np.divide(difference, allowed, out=np.zeros_like(difference), where=difference > 0).max())
    return case["name"], worst, share


def main():
    bad = 0
    print(f"onnx {onnx.__version__}, onnxruntime {ort.__version__}")
    for path in sorted(glob.glob(sys.argv[1] + "/*.json")):
        try:
            name, worst, share = check(path)
            print(f"ok   {name}: {worst:.2e} off at most, {share:.2f} of the tolerance")
        except Exception as error:
            bad += 1
            print(f"BAD  {json.load(open(path))['name']}: {error}")
    print(f"{bad} bad")
    sys.exit(1 if bad else 0)


main()
