"""What a publication may say, and that it happens whole or not at all."""

from typing import Any

import pytest
from emulated import SETTINGS, Emulator


@pytest.fixture(scope="module")
def built(site: Emulator) -> str:
    """An algorithm with a commit to publish."""
    site.deploy("Built", "def apply(input):\n    return input\n")
    return "/v1/algorithms/local/Built"


@pytest.mark.parametrize("label", [5, None, ["Built"]])
def test_a_label_is_a_text(site: Emulator, built: str, label: Any) -> None:
    """At publication and in a change as in creation."""
    before = site.get(built)
    details = {"label": label}
    settings = {**SETTINGS, "algorithm_environment": site.environment()}
    creation = {"name": "Unlabelled", "details": details, "settings": settings}
    assert site.publish("Built", details=details).status == 400
    assert site.request("PUT", built, {"details": details, "settings": settings}).status == 400
    assert site.request("POST", "/v1/algorithms/local", creation).status == 400
    assert site.get(built) == before
