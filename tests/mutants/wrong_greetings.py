"""Wrong versions of `HelloWorld`."""

from wrong_version import WrongVersion

__all__ = ["GREETINGS"]

_SOURCE = "algorithms/HelloWorld/src/HelloWorld.py"
_GREETING = 'f"Hello {name.strip()}, greetings from {OWNER}!"'

GREETINGS = (
    WrongVersion("a lower-case greeting", _SOURCE, 'f"Hello ', 'f"hello ', "", 'got "hello Jane, greetings from local!"'),
    WrongVersion(
        "the first letter is lost",
        _SOURCE,
        _GREETING,
        'f"Hello {name.strip()[1:]}, greetings from {OWNER}!"',
        "",
        'got "Hello ane, greetings from local!"',
    ),
    WrongVersion(
        "spaces stay",
        _SOURCE,
        _GREETING,
        'f"Hello {name}, greetings from {OWNER}!"',
        "spaces around a name",
        'got "Hello   Grace Hopper , greetings from local!"',
    ),
    WrongVersion(
        "only the first word of a name",
        _SOURCE,
        _GREETING,
        'f"Hello {name.split()[0]}, greetings from {OWNER}!"',
        "spaces around a name",
        'got "Hello Grace, greetings from local!"',
    ),
    WrongVersion(
        "name and owner swapped",
        _SOURCE,
        _GREETING,
        'f"Hello {OWNER}, greetings from {name.strip()}!"',
        "",
        'got "Hello local, greetings from Jane!"',
    ),
    WrongVersion(
        "null",
        _SOURCE,
        'return f"Hello {name.strip()}, greetings from {OWNER}!"',
        'f"Hello {name.strip()}, greetings from {OWNER}!"',
        "",
        "got null",
    ),
    WrongVersion(
        "an object instead of a text",
        _SOURCE,
        _GREETING,
        '{"greeting": f"Hello {name.strip()}, greetings from {OWNER}!"}',
        "",
        'got {"greeting": "Hello Jane, greetings from local!"}',
    ),
    WrongVersion(
        "bytes instead of a text",
        _SOURCE,
        _GREETING,
        'f"Hello {name.strip()}, greetings from {OWNER}!".encode()',
        "",
        "the answer is binary",
    ),
    WrongVersion("extra text", _SOURCE, '{OWNER}!"', '{OWNER}! Bye."', "", 'got "Hello Jane, greetings from local! Bye."'),
    WrongVersion(
        "a number is no error",
        _SOURCE,
        "raise ValueError(f'expected a name, such as \"Jane\"; got {name!r}')",
        'return "Hello!"',
        "a name is a text",
        "expected ^expected a name.*got 7$, got nothing (the call did not fail)",
    ),
    WrongVersion(
        "an empty name is no error",
        _SOURCE,
        " or not name.strip()",
        "",
        "a name is not empty",
        "expected ^expected a name, got nothing (the call did not fail)",
    ),
    WrongVersion(
        "prints the name",
        _SOURCE,
        '    return f"Hello {name.strip()}, greetings from {OWNER}!"',
        '    print(name)\n    return f"Hello {name.strip()}, greetings from {OWNER}!"',
        "spaces around a name",
        "expected .+, got   Grace Hopper ",
    ),
)
