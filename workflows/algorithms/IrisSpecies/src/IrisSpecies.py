"""Classifies iris flowers by the sizes of their sepals and petals.

Payload: {"flowers": [[sepal length, sepal width, petal length, petal width], ...], "at_least": 0.0 to 1.0}, lengths in cm.
Answer: [{"species": "setosa", "probability": 0.99}, ...]. The species is null if its probability is below `at_least`.
With `"expected": [species, ...]` any other answer is an error, so a payload can test the model.
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
    flowers, at_least = payload["flowers"], payload.get("at_least", 0.5)
    answer = [_named(row, model["species"], at_least) for row in model["classifier"].predict_proba(flowers).tolist()]
    expected = payload.get("expected")
    found = [each["species"] for each in answer]
    if expected is not None and found != expected:
        raise ValueError(f"expected {expected}, found {found}")
    return answer


def _named(probabilities, species, at_least):
    highest = max(probabilities)
    name = species[probabilities.index(highest)] if highest >= at_least else None
    return {"species": name, "probability": round(highest, 4)}


algorithm = ADK(apply, load)
algorithm.init(SAMPLE)
