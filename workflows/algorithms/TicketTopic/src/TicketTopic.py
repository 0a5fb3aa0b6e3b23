"""Names the topic of a customer's message by the words in it.

Payload: the message. Answer: {"topic": "delivery", "score": 0.88, "words": ["parcel", "late"]}: the topic, its part of all weights,
and the known words in their order. The topic is null if no word is known.
"""

import re

import Algorithmia

# The owner's collection lets the owner's algorithms read, whoever calls them. A worker loads the model once.
MODEL = Algorithmia.client().file("data://<user>/TicketTopic/topics.json").getJson()


def apply(message):
    if not isinstance(message, str) or not message.strip():
        raise ValueError(f"expected the text of a message; got {message!r}")
    words = [word for word in re.findall(r"[^\W\d_]+", message.lower()) if word in MODEL["weights"]]
    sums = [sum(column) for column in zip(*(MODEL["weights"][word] for word in words))]
    if not sums:
        return {"topic": None, "score": 0.0, "words": []}
    best = sums.index(max(sums))
    return {"topic": MODEL["topics"][best], "score": round(sums[best] / sum(sums), 2), "words": words}
