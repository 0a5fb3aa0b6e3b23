"""Classifies iris flowers by the sizes of their sepals and petals.

Payload: {"flowers": [[sepal length, sepal width, petal length, petal width], ...], "at_least": 0.0 to 1.0}, lengths in cm.
Answer: [{"species": "setosa", "probability": 0.99}, ...]. The species is null if its probability is below `at_least`.
With `"as": "csv"` the answer is a CSV file of the same, in bytes.
"""

import pickle

from Algorithmia import ADK

SAMPLE = {"flowers": [[5.1, 3.5, 1.4, 0.2]], "at_least": 0.5}


def load(models):
    """Load the model once, when the algorithm starts. The ADK has fetched the file of the manifest and checked its MD5.

    The check matters, because loading a pickle can run any code.
    """
    with open(models.get_model("iris"), "rb") as file:
        return pickle.load(file)


def apply(payload, model):
    flowers, at_least = _parse(payload)
    answer = [_named(row, model["species"], at_least) for row in model["classifier"].predict_proba(flowers).tolist()]
    print(f"classified {len(answer)} flowers")
    return _table(answer) if payload.get("as") == "csv" else answer


def _parse(payload):
    flowers, at_least = payload["flowers"], payload.get("at_least", 0.5)
    for flower in flowers:
        if not isinstance(flower, list) or len(flower) != 4 or not all(type(side) in (int, float) for side in flower):
            raise ValueError(f"a flower is a list of 4 lengths in cm; got {flower!r}")
    return flowers, at_least


def _named(probabilities, species, at_least):
    highest = max(probabilities)
    name = species[probabilities.index(highest)] if highest >= at_least else None
    return {"species": name, "probability": round(highest, 4)}


def _table(answer):
    rows = ["{},{}".format(each["species"] or "", each["probability"]) for each in answer]
    return "\n".join(["species,probability", *rows, ""]).encode()


algorithm = ADK(apply, load)
algorithm.init(SAMPLE)
