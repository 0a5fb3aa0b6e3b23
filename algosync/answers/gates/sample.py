"""Sample: one labelled case with the predictions for it."""

from __future__ import annotations

from algosync.core.lean import dataclass

__all__ = ["Sample"]


@dataclass(frozen=True, slots=True)
class Sample:
    """Values are texts that are equal if the JSON values are, as `label_of` and `prediction_of` make them.

    `predicted`: by the version that is judged. `published`: by the published version. None: there is no prediction. `part`: the
    slice; None: the gate has none.
    """

    label: str
    predicted: str | None
    published: str | None = None
    part: str | None = None
