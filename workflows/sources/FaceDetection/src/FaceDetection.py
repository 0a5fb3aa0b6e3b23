"""Finds the faces in an image with CenterFace, a small pre-trained network.

Payload: {"image": "data://..." or an image file in base64}.
Answer: {"size": [width, height], "faces": [{"box": [left, top, right, bottom], "score": 0.0 to 1.0}, ...]}, the surest
first, in pixels of the image.

The development kit (ADK) calls `load` once when the algorithm starts, then `apply` with its result for every request.
"""

import base64
import binascii
import io

import Algorithmia
import numpy as np
import onnxruntime
from Algorithmia import ADK
from PIL import Image

# `.my` would be the caller's. The owner's collection lets the owner's algorithms read, whoever calls them.
MODEL = "data://<user>/FaceDetection/centerface.onnx"

LARGEST_SIDE = 1024
STEP = 32  # the network halves the image five times
CELL = 4  # one cell of its answer stands for 4 x 4 pixels
SURE = 0.5
OVERLAP = 0.3

client = Algorithmia.client()


def load():
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # the published file lists its weights as inputs, too: a warning for each
    options.intra_op_num_threads = 1  # many copies of this algorithm run side by side
    model = client.file(MODEL).getBytes()
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def apply(payload, network):
    source = payload.get("image") if isinstance(payload, dict) else None
    if not isinstance(source, str):
        raise ValueError(f'expected an object whose "image" is a data URI or an image file in base64; got {payload!r}')
    image = _read_image(source)
    return {"size": list(image.size), "faces": detect(network, image)}


def _read_image(source):
    try:
        content = client.file(source).getBytes() if source.startswith("data://") else base64.b64decode(source, validate=True)
        return Image.open(io.BytesIO(content)).convert("RGB")
    except (OSError, binascii.Error) as error:
        raise ValueError(f"{source[:80]} is not an image that can be read") from error


def detect(network, original):
    """The faces of an RGB image, the surest first; of those that cover each other, only the surest."""
    image = original.copy()
    image.thumbnail((LARGEST_SIDE, LARGEST_SIDE))
    width, height = [-(-side // STEP) * STEP for side in image.size]
    pixels = np.asarray(image.resize((width, height)), dtype=np.float32).transpose(2, 0, 1)
    heat, scale, offset, _landmarks = network.run(None, {network.get_inputs()[0].name: pixels[np.newaxis]})
    boxes, scores = _decode(heat[0, 0], scale[0], offset[0])
    to_original = np.array([original.size[0] / width, original.size[1] / height] * 2)
    limit = np.array(list(original.size) * 2)
    faces = []
    for index in _distinct(boxes, scores):
        box = np.clip(boxes[index] * to_original, 0, limit)
        faces.append({"box": [int(side) for side in box.round()], "score": round(float(scores[index]), 3)})
    return faces


def _decode(heat, scale, offset):
    """Boxes (n x 4, in pixels of the network's input) and scores of the cells that look like the middle of a face."""
    rows, columns = np.nonzero(heat > SURE)
    at = (slice(None), rows, columns)
    heights, widths = np.exp(scale[at]) * CELL
    y, x = (np.stack([rows, columns]) + offset[at] + 0.5) * CELL
    return np.stack([x - widths / 2, y - heights / 2, x + widths / 2, y + heights / 2], axis=1), heat[rows, columns]


def _distinct(boxes, scores):
    """Indices of the boxes, the surest first, without those that mostly repeat a surer one."""
    kept = []
    for index in np.argsort(-scores, kind="stable"):
        if all(_overlap(boxes[index], boxes[other]) < OVERLAP for other in kept):
            kept.append(index)
    return kept


def _overlap(one, other):
    """The common area of two boxes over the area they cover together."""
    common = np.prod(np.clip(np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2]), 0, None))
    return common / (np.prod(one[2:] - one[:2]) + np.prod(other[2:] - other[:2]) - common)


algorithm = ADK(apply, load)
algorithm.init({"image": "data://.my/FaceDetection/astronaut.png"})
