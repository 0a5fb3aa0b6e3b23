import pytest

from .HelloWorld import OWNER, apply


def test_greets_by_name():
    assert apply(" Jane ") == f"Hello Jane, greetings from {OWNER}!"


@pytest.mark.parametrize("value", ["", "  ", None, 7])
def test_refuses_other_values(value):
    with pytest.raises(ValueError, match="expected a name"):
        apply(value)
