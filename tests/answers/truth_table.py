"""The truth table: pairs of an expectation and an answer."""

import hashlib
from dataclasses import dataclass, fields
from typing import Any

from algosync.answers import accepted
from algosync.core.testing.answer import Answer, CallFailure
from algosync.core.testing.case import Baseline, Expectation, Tolerance

NAUGHT = Expectation()


@dataclass(frozen=True)
class Row:
    """`places`: expectation and path of each mismatch, in order; empty for an answer that passes."""

    name: str
    expect: Expectation
    answer: Answer
    places: tuple[tuple[str, str], ...] = ()

    @property
    def given(self) -> list[str]:
        return [each.name for each in fields(Expectation) if getattr(self.expect, each.name) != getattr(NAUGHT, each.name)]

    def __str__(self) -> str:
        return self.name


def sent(text: str, kind: str = "json", **more: Any) -> Answer:
    return Answer(kind, text.encode("utf-8", "surrogatepass"), **more)


def failed(message: str, **more: Any) -> Answer:
    return Answer("json", b"", failure=CallFailure(message), **more)


def deep(inner: str, levels: int = 350) -> str:
    return "[" * levels + inner + "]" * levels


def passes(name: str, answer: Answer | str, **expect: Any) -> Row:
    return Row(name, Expectation(**expect), sent(answer) if isinstance(answer, str) else answer)


def fails(name: str, answer: Answer | str, places: str, **expect: Any) -> Row:
    """`places`: `expectation path` of each mismatch, separated by semicolons."""
    found = [place.strip().partition(" ") for place in places.split(";")]
    return Row(name, Expectation(**expect), sent(answer) if isinstance(answer, str) else answer, tuple((n, p) for n, _, p in found))


PNG = Answer("binary", b"\x89PNG\r\n\x1a\n\x00\xff")
DIGEST = hashlib.sha256(PNG.body).hexdigest()
WITHIN = Tolerance(absolute=0.1)
BOXES = '{"boxes": [{"label": "cat", "score": 0.9}, {"label": "dog", "score": 0.75}], "ms": 12}'
E_ACUTE, E_COMBINED = '"caf\u00e9"', '"cafe\u0301"'


def stored(answer: Answer | str, path: str = "tests/a.json") -> Baseline:
    return Baseline(path, accepted(sent(answer) if isinstance(answer, str) else answer))


PASSES = (
    passes("nothing expected", '{"a": 1}'),
    passes("nothing expected, null", "null"),
    passes("nothing expected, no JSON", "NaN"),
    passes("nothing expected, binary", PNG),
    # equals
    passes("equals text", '"Hello, Ada"', equals='"Hello, Ada"'),
    passes("equals text answer", sent("Hello, Ada", "text"), equals='"Hello, Ada"'),
    passes("equals null", "null", equals="null"),
    passes("equals true", "true", equals="true"),
    passes("equals empty list", "[]", equals="[ ]"),
    passes("equals empty object", "{}", equals="{ }"),
    passes("equals empty text", '""', equals='""'),
    passes("equals members in any order", '{"a": 1, "b": 2}', equals='{"b": 2, "a": 1}'),
    passes("equals with other spaces", '{"a":[1,2]}', equals='{ "a" : [ 1, 2 ] }'),
    passes("equals escapes", '"\\u0041\\/"', equals='"A/"'),
    passes("equals a pair of surrogates", '"\\ud83d\\ude00"', equals='"😀"'),
    passes("equals half of a pair", '"\\ud83d"', equals='"\\uD83D"'),
    passes("equals private names", '{"__id": 1}', equals='{"__id": 1}'),
    passes("equals deep", deep("1"), equals=deep("1.0")),
    passes("equals null inside", '{"a": null}', equals='{"a": null}'),
    # numbers
    passes("1 and 1.0", "1.0", equals="1"),
    passes("1.0 and 1", "1", equals="1.0"),
    passes("100 and 1e2", "1e2", equals="100"),
    passes("0.1 and 1e-1", "1e-1", equals="0.1"),
    passes("1.50 and 1.5", "1.50", equals="1.5"),
    passes("-0.0 and 0", "-0.0", equals="0"),
    passes("-0 and 0.0", "-0", equals="0.0"),
    passes("-0.0 inside", '{"a": [-0.0]}', equals='{"a": [0]}'),
    passes("64 bits", "9223372036854775807", equals="9223372036854775807"),
    passes("64 bits as a float", "9223372036854775807.0", equals="9223372036854775807"),
    passes("1e400", "1e400", equals="10e399"),
    passes("1e400 in digits", "1" + "0" * 400, equals="1e400"),
    passes("5,000 digits", "7" * 5000, equals="7" * 5000),
    passes("5,000 digits as an exponent", "1" + "0" * 5000, equals="1e5000"),
    passes("huge exponent", "1e999999", equals="1E+999999"),
    # tolerance
    passes("absolute tolerance", '{"a": 1.1}', equals='{"a": 1.0}', tolerance=WITHIN),
    passes("relative tolerance", "1000000", equals="1000001", tolerance=Tolerance(relative=1e-6)),
    passes("relative tolerance of 1e400", "1e400", equals="1.0000001e400", tolerance=Tolerance(relative=1e-6)),
    passes("tolerance in contains", BOXES, contains='{"boxes": [{"score": 0.8}]}', tolerance=WITHIN),
    passes("tolerance in a baseline", "[1.05]", baseline=stored("[1.0]"), tolerance=WITHIN),
    passes("tolerance without order", "[2.05, 1.0]", equals="[1.05, 2.0]", tolerance=WITHIN, ignore_order=True),
    passes("tolerance, only one pairing", "[1.1, 1.2]", equals="[1.1, 1.0]", tolerance=WITHIN, ignore_order=True),
    # ignore
    passes("ignored member", '{"a": 1, "id": 7}', equals='{"a": 1, "id": 8}', ignore=("$.id",)),
    passes("ignored member is absent", '{"a": 1}', equals='{"a": 1, "id": 8}', ignore=("$.id",)),
    passes("ignored member is new", '{"a": 1, "id": 7}', equals='{"a": 1}', ignore=("$.id",)),
    passes("ignored anywhere", '[{"t": 1}, {"b": {"t": 2}}]', equals='[{"t": 0}, {"b": {}}]', ignore=("$..t",)),
    passes("ignored element", "[1, 5, 3]", equals="[1, 2, 3]", ignore=("$[1]",)),
    passes("ignored last element", "[1, 2, 9]", equals="[1, 2]", ignore=("$[2]",)),
    passes("ignored in contains", '{"a": 1}', contains='{"a": 1, "t": 5}', ignore=("$.t",)),
    passes("ignored in a baseline", '{"a": 1, "t": 6}', baseline=stored('{"a": 1, "t": 5}'), ignore=("$.t",)),
    passes("ignored by a filter", '[{"k": 0.5, "v": 1}]', equals='[{"k": 0.5, "v": 2}]', ignore=("$[?@.k < 0.6].v",)),
    # order
    passes("no order", "[3, 1, 2]", equals="[1, 2, 3]", ignore_order=True),
    passes("no order, twice the same", "[1, 2, 1]", equals="[1, 1, 2]", ignore_order=True),
    passes("no order, nested", '{"a": [[2, 1], [4, 3]]}', equals='{"a": [[3, 4], [1, 2]]}', ignore_order=True),
    passes("no order, objects", '[{"a": [2, 1]}, {"b": 1.0}]', equals='[{"b": 1}, {"a": [1, 2]}]', ignore_order=True),
    passes("no order, zeros at the end", "[1.50, 2e-1, 0.50]", equals="[0.5, 1.5, 0.20]", ignore_order=True),
    passes("no order in contains", "[3, 1, 2]", contains="[2, 3]", ignore_order=True),
    passes("no order in a baseline", "[3, 1, 2]", baseline=stored("[1, 2, 3]"), ignore_order=True),
    # contains
    passes("contains a member", BOXES, contains='{"ms": 12.0}'),
    passes("contains at depth", BOXES, contains='{"boxes": [{"label": "cat"}, {"label": "dog"}]}'),
    passes("contains one element", BOXES, contains='{"boxes": [{"label": "dog"}]}'),
    passes("contains no element", BOXES, contains='{"boxes": []}'),
    passes("contains nothing", BOXES, contains="{}"),
    passes("contains what it equals", BOXES, contains=BOXES),
    passes("contains elements in order", "[1, 2, 3, 4]", contains="[2, 4]"),
    passes("contains null", '{"a": null, "b": 1}', contains='{"a": null}'),
    passes("contains deep", deep('{"a": 1, "b": 2}', 60), contains=deep('{"b": 2}', 60)),
    # match
    passes("match a value", BOXES, match=(("$.ms", "12"),)),
    passes("match a text", BOXES, match=(("$.boxes[0].label", '"cat"'),)),
    passes("match bounds", BOXES, match=(("$.boxes[*].score", '{">=": 0.75, "<": 1}'),)),
    passes("match a filter", BOXES, match=(('$.boxes[?@.label == "dog"].score', '{">": 0.7, "<=": 0.75}'),)),
    passes("match !=", BOXES, match=(("$.ms", '{"!=": 13}'),)),
    passes("match in", BOXES, match=(("$.boxes[*].label", '{"in": ["dog", "cat", null]}'),)),
    passes("match matches", BOXES, match=(("$.boxes[*].label", '{"matches": "^(cat|dog)$"}'),)),
    passes("match type", BOXES, match=(("$.boxes", '{"type": "array"}'), ("$.ms", '{"type": ["integer", "null"]}'))),
    passes("match type of 1.0", "1.0", match=(("$", '{"type": "integer"}'),)),
    passes("match type number of 1", "1", match=(("$", '{"type": "number"}'),)),
    passes("match type null", "null", match=(("$", '{"type": "null"}'),)),
    passes("match null", '{"a": null}', match=(("$.a", "null"),)),
    passes("match length", BOXES, match=(("$.boxes", '{"length": 2}'), ("$.boxes[0].label", '{"length": {">": 2}}'))),
    passes("match length of a letter beyond 16 bits", '"😀"', match=(("$", '{"length": 1}'),)),
    passes("match an object", '{"a": {"x": 1}}', match=(("$.a", '{"==": {"x": 1.0}}'),)),
    passes("match texts by order", '"b"', match=(("$", '{">": "a", "<": "c"}'),)),
    passes("match a text answer", sent("Hello", "text"), match=(("$", '{"matches": "^H"}'),)),
    passes("match a long id", '{"id": 9007199254740993}', match=(("$.id", "9007199254740993"),)),
    passes("match deep", deep('{"a": 1}'), match=(("$..a", "1"),)),
    # schema
    passes("schema", BOXES, schema='{"type": "object", "required": ["ms"], "properties": {"ms": {"type": "integer"}}}'),
    passes("schema of 12.0", '{"ms": 12.0}', schema='{"properties": {"ms": {"type": "integer"}}, "type": "object"}'),
    passes("schema true", "1", schema="true"),
    passes("schema multipleOf", "0.3", schema='{"multipleOf": 0.1}'),
    passes("schema of 1e400", "1e400", schema='{"type": "number", "exclusiveMinimum": 1e399}'),
    passes("schema integer of 1e1000", "1e1000", schema='{"type": "integer"}'),
    passes("schema null", "null", schema='{"type": ["object", "null"]}'),
    passes(
        "schema of references", '[1, "a"]', schema='{"$defs": {"n": {"type": "number"}}, "prefixItems": [{"$ref": "#/$defs/n"}]}'
    ),
    # baseline
    passes("baseline", BOXES, baseline=stored(BOXES)),
    passes("baseline of a text", sent("a\n\nb\u2028c\r\n", "text"), baseline=stored(sent("a\n\nb\u2028c\r\n", "text"))),
    passes("baseline of bytes", PNG, baseline=stored(PNG)),
    passes("baseline of numbers", "[1.0, 1e400, -0.0]", baseline=stored("[1, 10e399, 0]")),
    passes("baseline of half a pair", '"\\ud83d"', baseline=stored('"\\ud83d"')),
    # around the value
    passes("error", failed("no such file: x.png"), error="no such file"),
    passes("error by a pattern", failed("bad value 17"), error=r"value \d+$"),
    passes("error with what it printed", failed("bad", printed="reading"), error="bad", printed=("read",)),
    passes("content type json", "1", content_type="json"),
    passes("content type binary", PNG, content_type="binary", sha256=DIGEST, size="10"),
    passes("sha256 in capitals", PNG, sha256=DIGEST.upper()),
    passes("size in bounds", PNG, size='{">": 9, "<=": 10}'),
    passes("printed", sent("1", printed="loading model\ndone\n"), printed=("model", r"(?m)^done$")),
    passes("not printed", sent("1", printed="loading"), not_printed=("sim[A-Za-z0-9]{20}",)),
    passes("max seconds", sent("1", seconds=0.5), max_seconds=0.5),
    passes("all at once", BOXES, equals=BOXES, contains="{}", match=(("$.ms", "12"),), content_type="json", max_seconds=1),
)

FAILS = (
    # null, absent, kinds
    fails("null for an object", "null", "equals $", equals='{"a": 1}'),
    fails("null for a subset", "null", "contains $", contains="{}"),
    fails("null for a path", "null", "match $.a", match=(("$.a", "1"),)),
    fails("null for a schema without a type", "null", "schema $", schema='{"properties": {"a": {}}}'),
    fails("null for an empty schema", "null", "schema $", schema="{}"),
    fails("null for a baseline", "null", "baseline $", baseline=stored("[]")),
    fails("null for an absent member", '{"a": null}', "equals $.a", equals="{}"),
    fails("absent for null", "{}", "equals $.a", equals='{"a": null}'),
    fails("absent for null in contains", "{}", "contains $.a", contains='{"a": null}'),
    fails("true for 1", "true", "equals $", equals="1"),
    fails("1 for true", "[1]", "equals $[0]", equals="[true]"),
    fails("0 for false", '{"a": 0}', "equals $.a", equals='{"a": false}'),
    fails("1 for true without order", "[1]", "equals $[0]", equals="[true]", ignore_order=True),
    fails("text for a number", '"1"', "equals $", equals="1"),
    fails("list for an object", "[]", "equals $", equals="{}"),
    fails("true within a tolerance", "true", "equals $", equals="1", tolerance=WITHIN),
    # numbers
    fails("neighbours of 64 bits", "9223372036854775807", "equals $", equals="9223372036854775806"),
    fails("neighbours beyond 53 bits", "9007199254740993", "equals $", equals="9007199254740992"),
    fails("9007199254740993.0", "9007199254740993.0", "equals $", equals="9007199254740992"),
    fails("1e400 and 1e401", "1e400", "equals $", equals="1e401"),
    fails("beyond the digits of a float", "0.10000000000000000001", "equals $", equals="0.1"),
    fails("neighbours of 5,000 digits", "1" * 4999 + "2", "equals $", equals="1" * 5000),
    fails("outside the tolerance", "1.1000001", "equals $", equals="1.0", tolerance=WITHIN),
    fails("outside a relative tolerance", "[1, 1001]", "equals $[1]", equals="[1, 1000]", tolerance=Tolerance(relative=1e-4)),
    fails("1e400 outside a tolerance", "1e400", "equals $", equals="1e401", tolerance=Tolerance(relative=0.5)),
    # texts
    fails("NFC and NFD", E_COMBINED, "equals $", equals=E_ACUTE),
    fails("zero width space", '"a\\u200bb"', "equals $", equals='"ab"'),
    fails("no-break space", '"a\\u00a0b"', "equals $", equals='"a b"'),
    fails("letters that look alike", '"\\u0430"', "equals $", equals='"a"'),
    fails("case", '"cat"', "equals $", equals='"Cat"'),
    fails("name in another form", '{"caf\u00e9": 1}', 'equals $["cafe\\u0301"];equals $["caf\\u00e9"]', equals='{"cafe\u0301": 1}'),
    fails("name with an invisible character", '{"a\\u200b": 1}', 'equals $.a;equals $["a\\u200b"]', equals='{"a": 1}'),
    fails("line end", '"a\\r\\n"', "equals $", equals='"a\\n"'),
    fails("text answer", sent("Hello", "text"), "equals $", equals='"hello"'),
    # places
    fails("one leaf", BOXES, "equals $.boxes[1].label", equals=BOXES.replace("dog", "fox")),
    fails("two leaves", '{"a": 1, "b": [2]}', "equals $.a;equals $.b[0]", equals='{"a": 0, "b": [0]}'),
    fails("missing member", '{"a": {}}', "equals $.a.b", equals='{"a": {"b": 1}}'),
    fails("member too many", '{"a": {"b": 1}}', "equals $.a.b", equals='{"a": {}}'),
    fails("private name", '{"__id": 2}', "equals $.__id", equals='{"__id": 1}'),
    fails("odd name", '{"a b": 1}', 'equals $["a b"]', equals='{"a b": 2}'),
    fails("missing element", "[1]", "equals $[1]", equals="[1, 2]"),
    fails("element too many", "[1, 2]", "equals $[1]", equals="[1]"),
    fails(
        "few common members", '{"a": 1, "b": 1, "c": 1}', "equals $.a;equals $.b;equals $.c;equals $.d", equals='{"a": 2, "d": 1}'
    ),
    fails("deep", deep("1", 60), "equals " + "$" + "[0]" * 60, equals=deep("2", 60)),
    fails("order", "[2, 1]", "equals $[0];equals $[1]", equals="[1, 2]"),
    fails("no order, one other", '[{"a": 1}, {"b": 3}]', "equals $[1].b", equals='[{"b": 2}, {"a": 1}]', ignore_order=True),
    fails("no order, one missing", "[1, 3]", "equals $", equals="[1, 2, 3]", ignore_order=True),
    fails("no order, one too many", "[4, 1, 3]", "equals $[0]", equals="[1, 3]", ignore_order=True),
    fails("no order, counts", "[1, 1, 2]", "equals $[1]", equals="[1, 2, 2]", ignore_order=True),
    fails("no order, tolerance", "[1.3, 2]", "equals $[0]", equals="[2, 1]", tolerance=WITHIN, ignore_order=True),
    fails("not ignored", '{"a": 2, "id": 7}', "equals $.a", equals='{"a": 1, "id": 8}', ignore=("$.id",)),
    fails("place behind an ignored one", "[9, 2]", "equals $[1]", equals="[1, 3]", ignore=("$[0]",)),
    # contains
    fails("contains an absent member", BOXES, "contains $.id", contains='{"id": 1}'),
    fails("contains another value", BOXES, "contains $.boxes[1].label", contains='{"boxes": [{}, {"label": "fox"}]}'),
    fails("contains no such element", BOXES, "contains $.boxes", contains='{"boxes": [{"label": "fox"}]}'),
    fails("contains in another order", "[1, 2, 3]", "contains $", contains="[3, 1]"),
    fails("contains it only once", "[1, 2, 3]", "contains $", contains="[1, 1]", ignore_order=True),
    fails("contains true for 1", "[1, 2]", "contains $", contains="[true]"),
    # match
    fails("match another value", BOXES, "match $.ms", match=(("$.ms", "13"),)),
    fails("match one of two", BOXES, "match $.boxes[1].score", match=(("$.boxes[*].score", '{">=": 0.8}'),)),
    fails("match both bounds", "5", "match $;match $", match=(("$", '{">": 7, "<": 3}'),)),
    fails("match nothing there", BOXES, "match $.none", match=(("$.none", '{"type": "null"}'),)),
    fails("match a text by a number", '"7"', "match $", match=(("$", '{">": 5}'),)),
    fails("match true by a number", "true", "match $", match=(("$", '{">=": 1}'),)),
    fails("match in", "true", "match $", match=(("$", '{"in": [1, "true"]}'),)),
    fails("match matches", '"cats"', "match $", match=(("$", '{"matches": "^cat$"}'),)),
    fails("match matches a number", "12", "match $", match=(("$", '{"matches": "1"}'),)),
    fails("match type", "1.5", "match $", match=(("$", '{"type": "integer"}'),)),
    fails("match type of true", "true", "match $", match=(("$", '{"type": "number"}'),)),
    fails("match length", "[1]", "match $", match=(("$", '{"length": 2}'),)),
    fails("match length of a number", "12", "match $", match=(("$", '{"length": 2}'),)),
    fails("match a neighbour beyond 53 bits", '{"a": 9007199254740993}', "match $.a", match=(("$.a", "9007199254740992"),)),
    # schema
    fails("schema type", '{"ms": "12"}', "schema $.ms", schema='{"properties": {"ms": {"type": "integer"}}}'),
    fails("schema required", "{}", "schema $", schema='{"required": ["ms"]}'),
    fails("schema false", "1", "schema $", schema="false"),
    fails("schema true is no number", "[true]", "schema $[0]", schema='{"items": {"type": "number"}}'),
    fails("schema multipleOf", "0.35", "schema $", schema='{"multipleOf": 0.1}'),
    # baseline
    fails("baseline", '{"a": 2}', "baseline $.a", baseline=stored('{"a": 1}')),
    fails("baseline of another type", sent("1", "text"), "baseline", baseline=stored("1")),
    fails("baseline of other bytes", Answer("binary", b"other"), "baseline", baseline=stored(PNG)),
    fails("baseline not there yet", "1", "baseline", baseline=Baseline("tests/a.json")),
    # what is no JSON
    fails("NaN", '{"a": NaN}', "equals", equals='{"a": 1}'),
    fails("Infinity", "-Infinity", "match", match=(("$", "1"),)),
    fails("no JSON", '{"a": ', "contains", contains="{}"),
    fails("no UTF-8", Answer("json", b'"\xff"'), "equals", equals='""'),
    fails("bytes for a value", PNG, "equals", equals='"x"'),
    fails("too deep", deep("1", 10_000), "equals", equals="1"),
    # around the value
    fails("failed call", failed("boom"), "call"),
    fails("failed call with expectations", failed("boom"), "call", equals="1", match=(("$", "1"),)),
    fails("failed call that printed", failed("boom", printed="key"), "call;not_printed", not_printed=("key",)),
    fails("other error", failed("boom"), "error", error="no such file"),
    fails("no error", "1", "error", error="no such file"),
    fails("content type", "1", "content_type", content_type="text"),
    fails("sha256", Answer("binary", b"other"), "sha256", sha256=DIGEST),
    fails("size", PNG, "size", size="11"),
    fails("size in bounds", PNG, "size;size", size='{">": 10, "<": 10, "!=": 11}'),
    fails("printed", sent("1", printed="loading"), "printed", printed=("loading", "done")),
    fails("printed nothing", "1", "printed", printed=("x",)),
    fails("not printed", sent("1", printed="key simAAAABBBBCCCCDDDDEEEE"), "not_printed", not_printed=("sim[A-Z]{20}", "password")),
    fails("max seconds", sent("1", seconds=0.6), "max_seconds", max_seconds=0.5),
    fails("three at once", sent("2", seconds=9), "equals $;match $;max_seconds", equals="1", match=(("$", "1"),), max_seconds=1),
)
