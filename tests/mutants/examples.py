"""The examples, as the tests of wrong versions need them: where their algorithms and data files are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from wrong_greetings import GREETINGS
from wrong_pipelines import PIPELINES
from wrong_species import SPECIES
from wrong_topics import TOPICS
from wrong_version import WrongVersion

__all__ = ["EXAMPLES", "WORKFLOWS", "Example"]

WORKFLOWS = Path(__file__).parents[2] / "workflows"


@dataclass(frozen=True, slots=True)
class Example:
    """`sources` (folders of algorithms) and `data` (folders of data files) are relative to `workflows`.

    `environment`: the algorithm whose requirements include those of the others. None: those of algosync are enough.
    """

    workflow: str
    sources: tuple[str, ...]
    wrong: tuple[WrongVersion, ...]
    environment: str | None = None
    data: tuple[str, ...] = ()


EXAMPLES = {
    example.workflow: example
    for example in (
        Example("hello_world.yaml", ("algorithms/HelloWorld",), GREETINGS),
        Example("model_release.yaml.j2", ("algorithms/IrisSpecies",), SPECIES, "IrisSpecies", ("model_release/quality/models",)),
        Example("swapped_labels.yaml.j2", ("algorithms/TicketTopic",), TOPICS, data=("swapped_labels/quality/models",)),
        Example(
            "image_parallel_pipelining.json",
            (
                "sources/SmartImageDownloader",
                "sources/BoundingBoxOnImage",
                "sources/FaceDetection",
                "sources/ParallelPipelining",
            ),
            PIPELINES,
            "FaceDetection",
            ("image_parallel_pipelining/quality/artifacts", "image_parallel_pipelining/quality/models"),
        ),
    )
}
