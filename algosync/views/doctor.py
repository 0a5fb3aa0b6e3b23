"""The diagnoses of `algosync doctor` as text and as a JSON document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from algosync.core.diagnosis import Diagnosis, Status
from algosync.core.redaction import Word
from algosync.core.resource import Json
from algosync.core.text import paint, plural, printable

__all__ = ["diagnosis_lines", "doctor_document", "summary"]

_STYLES: Mapping[Status, tuple[str, ...]] = {"ok": ("green",), "note": (), "unknown": ("yellow",), "failed": ("red", "bold")}
_WIDTH = 20  # columns of the names of checks


def diagnosis_lines(diagnosis: Diagnosis) -> Iterator[str]:
    """One line for what was found, and one for how to get what is missing."""
    styles = _STYLES[diagnosis.status]
    status = f"{diagnosis.status:8}"
    yield f"{paint(status, *styles) if styles else status} {diagnosis.check:{_WIDTH}} {printable(diagnosis.text)}"
    if diagnosis.hint:
        yield f"{'':8} {'':{_WIDTH}} {printable(diagnosis.hint)}"


def summary(diagnoses: Sequence[Diagnosis]) -> str:
    failed = {each.check for each in diagnoses if each.status == "failed"}
    unknown = {each.check for each in diagnoses if each.status == "unknown"} - failed
    left = f" {plural(len(unknown), 'check')} could not be carried out." if unknown else ""
    return (f"{plural(len(failed), 'check')} failed." if failed else "No check failed.") + left


def doctor_document(diagnoses: Sequence[Diagnosis], meta: Mapping[str, str]) -> Json:
    """The document. Secrets in its texts are still to be hidden."""
    rows: list[Json] = [
        {"check": Word(each.check), "status": Word(each.status), "text": each.text, "hint": each.hint} for each in diagnoses
    ]
    words: Mapping[str, Json] = {name: Word(text) for name, text in meta.items()}
    return {"format_version": Word("1.0"), "meta": words, "ok": all(each.status != "failed" for each in diagnoses), "checks": rows}
