"""Rebuild the model of `model_release`, byte for byte: `python workflows/make_model.py`. Needs the packages in `PINS`.

The model classifies iris flowers and is fitted to the data set in scikit-learn. The script also writes its manifest, and
its frozen form as `algo freeze` would. The timestamp is constant, so that the same model always gives the same bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import pickle
from pathlib import Path

import numpy as np
import sklearn
from sklearn.datasets import load_iris
from sklearn.naive_bayes import GaussianNB

HERE = Path(__file__).resolve().parent
PINS = {"numpy": "2.2.6", "scikit-learn": "1.7.2"}  # as in the algorithm's requirements
PROTOCOL = 5  # of pickle; the default depends on the version of Python

MODEL = "model_release/quality/models/iris.pickle"
MANIFEST = "algorithms/IrisSpecies/model_manifest.json"


def main() -> None:
    parser = argparse.ArgumentParser(description="Rebuild the model of model_release and its manifest.")
    parser.add_argument("folder", nargs="?", type=Path, default=HERE, help="folder to write to (default: in place)")
    options = parser.parse_args()
    found = {"numpy": np.__version__, "scikit-learn": sklearn.__version__}
    if found != PINS:
        parser.error(f"the bytes depend on the versions: needs {PINS}, found {found}")
    content = model()
    files = {MODEL: content, **manifests(hashlib.md5(content, usedforsecurity=False).hexdigest())}
    for name, data in files.items():
        path = options.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        print(hashlib.sha256(data).hexdigest(), name)


def model() -> bytes:
    """The fitted classifier and the names of its classes. Naive Bayes gives the same numbers on every machine."""
    iris = load_iris()
    classifier = GaussianNB().fit(iris.data, iris.target)
    return pickle.dumps({"classifier": classifier, "species": [str(name) for name in iris.target_names]}, PROTOCOL)


def manifests(md5: str) -> dict[str, bytes]:
    """The manifest and its frozen form. The lock is the MD5 of Python's `str()` of the rest."""
    entry = {"name": "iris", "source_uri": "data://.my/models/iris.pickle", "fail_on_tamper": True, "metadata": {"dataset": "iris"}}
    plain = {"required_files": [entry], "optional_files": []}
    frozen = {"required_files": [{**entry, "md5_checksum": md5}], "optional_files": [], "timestamp": "0.0"}
    lock = hashlib.md5(str(frozen).encode(), usedforsecurity=False).hexdigest()
    return {
        MANIFEST: json.dumps(plain, indent=2).encode() + b"\n",
        f"{MANIFEST}.freeze": json.dumps({**frozen, "lock_checksum": lock}).encode(),
    }


if __name__ == "__main__":
    main()
