"""Wrong versions of `IrisSpecies` and its model."""

from wrong_version import WrongVersion

__all__ = ["SPECIES"]

_SOURCE = "algorithms/IrisSpecies/src/IrisSpecies.py"
_LOADED = "        return pickle.load(file)"
_NAMED = 'return {"species": name, "probability": round(highest, 4)}'
_ROWS = ".predict_proba(flowers).tolist()]"
_ANSWER = 'return _table(answer) if payload.get("as") == "csv" else answer'
_PRINT = '    print(f"classified {len(answer)} flowers")'

SPECIES = (
    WrongVersion(
        "two labels swapped",
        _SOURCE,
        _LOADED,
        '        model = pickle.load(file)\n    model["species"][1:] = model["species"][:0:-1]\n    return model',
        "probabilities",
        '$[0].species: expected "versicolor", got "virginica"',
    ),
    WrongVersion(
        "a stale model",
        _SOURCE,
        _LOADED,
        '        model = pickle.load(file)\n    model["classifier"].class_prior_[:] = [0.2, 0.6, 0.2]\n    return model',
        "known flowers",
        "$[0].probability: expected 0.9271, got 0.9745",
    ),
    WrongVersion(
        "the least probable species",
        _SOURCE,
        "max(probabilities)",
        "min(probabilities)",
        "",
        '$[0].species: expected "setosa", got null',
    ),
    WrongVersion(
        "a field lost",
        _SOURCE,
        _NAMED,
        'return {"species": name}',
        "probabilities",
        '$[*].probability: expected {">=": 0.5, "<=": 1}, got nothing (there is nothing at this path)',
    ),
    WrongVersion(
        "a field too much",
        _SOURCE,
        _NAMED,
        'return {"species": name, "probability": round(highest, 4), "all": probabilities}',
        "probabilities",
        "$[0]: expected additionalProperties: false",
    ),
    WrongVersion(
        "a number as text",
        _SOURCE,
        _NAMED,
        'return {"species": name, "probability": f"{highest:.4f}"}',
        "probabilities",
        '$[0].probability: expected >= 0.5, got "1.0000"',
    ),
    WrongVersion(
        "rounded to two digits",
        _SOURCE,
        "round(highest, 4)",
        "round(highest, 2)",
        "known flowers",
        "$[0].probability: expected 0.9271, got 0.93",
    ),
    WrongVersion(
        "per cent instead of a part of one",
        _SOURCE,
        "round(highest, 4)",
        "round(100 * highest, 2)",
        "probabilities",
        "$[0].probability: expected <= 1, got 100",
    ),
    WrongVersion(
        "the bound is ignored",
        _SOURCE,
        "highest >= at_least",
        "highest >= 0.5",
        "known flowers",
        '$[0].species: expected null, got "virginica"',
    ),
    WrongVersion(
        "the bound is a little too high",
        _SOURCE,
        "highest >= at_least",
        "highest >= at_least + 0.01",
        "known flowers",
        '$[0].species: expected "virginica", got null',
    ),
    WrongVersion(
        "flowers in the wrong order", _SOURCE, _ROWS, ".predict_proba(flowers).tolist()[::-1]]", "a file", "expected a5adb68dc585"
    ),
    WrongVersion(
        "the last flower is lost",
        _SOURCE,
        _ROWS,
        ".predict_proba(flowers).tolist()[:1]]",
        "probabilities",
        '$: expected length 2, got [{"species": "versicolor", "probability": 1}] (its length is 1)',
    ),
    WrongVersion(
        "sepals and petals swapped",
        _SOURCE,
        "predict_proba(flowers)",
        "predict_proba([row[2:] + row[:2] for row in flowers])",
        "",
        '$[0].species: expected "setosa", got "virginica"',
    ),
    WrongVersion(
        "null",
        _SOURCE,
        _ANSWER,
        'return _table(answer) if payload.get("as") == "csv" else None',
        "",
        '$: expected [{"species": "setosa"}], got null',
    ),
    WrongVersion(
        "an empty list",
        _SOURCE,
        _ANSWER,
        'return _table(answer) if payload.get("as") == "csv" else []',
        "",
        '$: expected {"species": "setosa"}, got nothing (no element contains this one)',
    ),
    WrongVersion(
        "an object around the list",
        _SOURCE,
        _ANSWER,
        'return _table(answer) if payload.get("as") == "csv" else {"flowers": answer}',
        "",
        '$: expected [{"species": "setosa"}], got {"flowers": [{"species": "setosa", "probability": 1}]}',
    ),
    WrongVersion(
        "an index instead of a name",
        _SOURCE,
        "name = species[probabilities.index(highest)]",
        "name = probabilities.index(highest)",
        "",
        '$[0].species: expected "setosa", got 0',
    ),
    WrongVersion(
        "answers of the call before",
        _SOURCE,
        _PRINT,
        '    print(f"classified {len(answer)} flowers")\n    answer = globals().setdefault("FIRST", answer)',
        "probabilities",
        '$: expected length 2, got [{"species": "setosa", "probability": 1}] (its length is 1)',
    ),
    WrongVersion(
        "the input is changed",
        _SOURCE,
        "    for flower in flowers:\n",
        "    for flower in flowers:\n        flower.sort()\n",
        "",
        '$[0].species: expected "setosa", got "virginica"',
    ),
    WrongVersion(
        "an error is swallowed",
        _SOURCE,
        'raise ValueError(f"a flower is a list of 4 lengths in cm; got {flower!r}")',
        "flower[:] = [5.1, 3.5, 1.4, 0.2]",
        "known flowers",
        "expected ^a flower is a list of 4 lengths, got nothing (the call did not fail)",
    ),
    WrongVersion("a file as text", _SOURCE, ".encode()", "", "a file", "expected binary, got text"),
    WrongVersion("a file in another encoding", _SOURCE, ".encode()", '.encode("utf-16")', "a file", "expected a5adb68dc585"),
    WrongVersion("a file with semicolons", _SOURCE, '"{},{}"', '"{};{}"', "a file", "expected a5adb68dc585"),
    WrongVersion(
        "prints a key",
        _SOURCE,
        _PRINT,
        '    print(f"classified {len(answer)} flowers")\n    print("sim" + 12 * "A1")',
        "what it prints",
        "expected ^classified 2 flowers$, got classified 2 flowers",
    ),
    WrongVersion(
        "prints a wrong number",
        _SOURCE,
        "{len(answer)}",
        "{len(payload)}",
        "what it prints",
        "expected ^classified 2 flowers$, got classified 1 flowers",
    ),
    WrongVersion(
        "20 times slower than the baseline",
        _SOURCE,
        _PRINT,
        '    print(f"classified {len(answer)} flowers")\n    __import__("time").sleep(20 * 0.0161)',
        "as fast as the accepted run",
        "p95_vs_baseline is ",
    ),
)
