"""Wrong versions of `TicketTopic` and its model."""

from wrong_version import WrongVersion

__all__ = ["TOPICS"]

_MODEL = "swapped_labels/quality/models/topics.json"
_SOURCE = "algorithms/TicketTopic/src/TicketTopic.py"
_TOPIC = 'return {"topic": MODEL["topics"][best], "score": round(sums[best] / sum(sums), 2), "words": words}'
_UNKNOWN = 'return {"topic": None, "score": 0.0, "words": []}'

TOPICS = (
    WrongVersion(
        "two labels of the model swapped",
        _MODEL,
        '"delivery", "returns"',
        '"returns", "delivery"',
        "topics",
        '$.topic: expected "delivery", got "returns"',
    ),
    WrongVersion(
        "a weight of an older model",
        _MODEL,
        '"parcel": [0, 4, 1]',
        '"parcel": [0, 4, 0]',
        "topics",
        "$.score: expected 0.91, got 1",
    ),
    WrongVersion(
        "capital letters are unknown", _SOURCE, "message.lower()", "message", "topics", "$.score: expected 0.91, got 0.88"
    ),
    WrongVersion("accents are unknown", _SOURCE, 'r"[^\\W\\d_]+"', 'r"[a-z]+"', "topics", '$.topic: expected "billing", got null'),
    WrongVersion(
        "each word counts once",
        _SOURCE,
        'if word in MODEL["weights"]]',
        'if word in MODEL["weights"]]\n    words = sorted(set(words))',
        "topics",
        "$.score: expected 0.91, got 0.88",
    ),
    WrongVersion(
        "off by one",
        _SOURCE,
        'MODEL["topics"][best]',
        'MODEL["topics"][best - 1]',
        "topics",
        '$.topic: expected "billing", got "returns"',
    ),
    WrongVersion("rounded to one digit", _SOURCE, "sum(sums), 2)", "sum(sums), 1)", "topics", "$.score: expected 0.91, got 0.9"),
    WrongVersion(
        "JSON as text",
        _SOURCE,
        _TOPIC,
        _TOPIC.replace("return ", 'return __import__("json").dumps(') + ")",
        "topics",
        '$: expected {"topic": "billing"}, got "{',
    ),
    WrongVersion(
        "prints the message",
        _SOURCE,
        _TOPIC,
        'print(message)\n    return {"topic": MODEL["topics"][best], "score": round(sums[best] / sum(sums), 2), "words": words}',
        "topics",
        "expected .+, got Please send the invoice again",
    ),
    WrongVersion(
        "a topic where nothing is known",
        _SOURCE,
        _UNKNOWN,
        'return {"topic": MODEL["topics"][0], "score": 0.0, "words": []}',
        "no known word",
        '$.topic: expected null, got "billing"',
    ),
    WrongVersion(
        "a field lost where nothing is known",
        _SOURCE,
        _UNKNOWN,
        'return {"topic": None, "score": 0.0}',
        "no known word",
        "$.words: expected [], got nothing (the answer has nothing here)",
    ),
    WrongVersion(
        "an empty message is no error",
        _SOURCE,
        " or not message.strip()",
        "",
        "an empty message",
        "expected ^expected the text of a message, got nothing (the call did not fail)",
    ),
)
