import pytest

from .HelloWorld import OWNER, apply


def test_greets_by_name():
    assert apply(" Jane ") == f"Hello Jane, greetings from {OWNER}!"


@pytest.mark.parametrize("nobody", ["", "  ", None, 7])
def test_refuses_what_is_no_name(nobody):
    with pytest.raises(ValueError, match="expected a name"):
        apply(nobody)
