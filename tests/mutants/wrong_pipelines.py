"""Wrong versions of the four algorithms of `image_parallel_pipelining`, which has tests in the original format only."""

from wrong_version import WrongVersion

__all__ = ["PIPELINES"]

_DOWNLOADER = "sources/SmartImageDownloader/src/SmartImageDownloader.py"
_BOXES = "sources/BoundingBoxOnImage/src/BoundingBoxOnImage.py"
_FACES = "sources/FaceDetection/src/FaceDetection.py"
_PIPELINE = "sources/ParallelPipelining/src/ParallelPipelining.py"

PIPELINES = (
    WrongVersion(
        "a JPEG instead of a PNG",
        _DOWNLOADER,
        'format="PNG"',
        'format="JPEG"',
        "",
        "astronaut.png: expected a PNG, got b'\\xff\\xd8\\xff\\xe0\\x00\\x10JF'",
    ),
    WrongVersion(
        "a rotated image",
        _DOWNLOADER,
        "image.thumbnail((side, side))",
        "image.thumbnail((side, side))\n    image = image.rotate(90)",
        "",
        "astronaut.png: expected faces at [(0.44, 0.23)], found them at [(",
    ),
    WrongVersion("a field renamed", _DOWNLOADER, 'return {"image":', 'return {"picture":', "", "'image'"),
    WrongVersion(
        "nothing is drawn", _BOXES, "    draw(image, boxes)\n", "", "", "astronaut.png: 1 boxes to draw, but the image is unchanged"
    ),
    WrongVersion(
        "drawn on a smaller image",
        _BOXES,
        "    draw(image, boxes)\n",
        "    image.thumbnail((100, 100))\n    draw(image, boxes)\n",
        "",
        "astronaut.png: drawing changed the size from (480, 480) to (100, 100)",
    ),
    WrongVersion(
        "left and top swapped",
        _FACES,
        "    y, x = (",
        "    x, y = (",
        "",
        "astronaut.png: expected faces at [(0.44, 0.23)], found them at [(",
    ),
    WrongVersion(
        "boxes of another scale",
        _FACES,
        "CELL = 4 ",
        "CELL = 5 ",
        "",
        "astronaut.png: expected faces at [(0.44, 0.23)], found them at [(",
    ),
    WrongVersion(
        "no faces",
        _FACES,
        "for index in _distinct(boxes, scores):",
        "for index in []:",
        "",
        "astronaut.png: expected faces at [(0.44, 0.23)], found them at []",
    ),
    WrongVersion(
        "unsure faces",
        _FACES,
        "SURE = 0.5",
        "SURE = 0.05",
        "2 parallel calls",
        "chelsea.png: expected faces at [], found them at [(",
    ),
    WrongVersion(
        "one call at most",
        _PIPELINE,
        "MOST_CALLS = 100",
        "MOST_CALLS = 1",
        "2 parallel calls",
        "expected a number of parallel calls from 1 to 1; got 2",
    ),
)
