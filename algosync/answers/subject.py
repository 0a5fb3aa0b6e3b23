"""Subject: an answer as the expectations read it."""

from __future__ import annotations

from functools import cached_property

from algosync.answers.exact_json import NotJson, Value, read_exact
from algosync.core.testing.answer import Answer

__all__ = ["Subject"]


class Subject:
    """An answer whose value is read at most once, when an expectation asks for it."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    @cached_property
    def text(self) -> str:
        """The body as text. NotJson: it is binary, or not UTF-8."""
        if self.answer.content_type == "binary":
            raise NotJson("binary, which has no value: expect its `sha256`, `size` or `content_type`")
        try:
            return self.answer.body.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            raise NotJson("not UTF-8") from None

    @cached_property
    def value(self) -> Value:
        """The JSON value; of a text the text itself. NotJson: it has none, or none that can be judged."""
        return self.text if self.answer.content_type == "text" else read_exact(self.text)
