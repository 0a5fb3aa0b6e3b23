"""The environments of a cluster. Their ids are different on every cluster; names and ids of specifications are the same."""

import sqlite3
import uuid
from dataclasses import dataclass
from datetime import datetime, timezone

from algosync.emulator.records.database import Database


@dataclass(frozen=True, slots=True)
class EnvironmentKind:
    """The properties of an environment that are the same on every cluster."""

    display_name: str
    language: str
    package_set: str
    machine_type: str = "CPU"
    framework: str = ""
    """The requirement that the template of a framework environment has. Such templates define a plain `apply`."""

    @property
    def has_adk(self) -> bool:
        """Whether its template uses the Algorithm Development Kit."""
        return self.language == "python3" and not self.framework


PREINSTALLED = {
    kind.display_name: kind
    for kind in (
        EnvironmentKind("Python 2.7", "python2", "python27"),
        EnvironmentKind("Python 3.6", "python3", "python36"),
        EnvironmentKind("Python 3.7", "python3", "python37"),
        EnvironmentKind("Python 3.8", "python3", "python38"),
        EnvironmentKind("Python 3.9", "python3", "python39"),
        EnvironmentKind("Python 3.7 + PyTorch 1.7.x", "python3", "pytorch-1.7.x", "GPU", "torch"),
        EnvironmentKind("Python 3.7 + TensorFlow GPU 1.14", "python3", "tensorflow-gpu-1.14", "GPU", "tensorflow"),
        EnvironmentKind("Python 3.7 + TensorFlow GPU 2.3", "python3", "tensorflow-gpu-2.3", "GPU", "tensorflow"),
        EnvironmentKind("Python 3.8 + TensorFlow GPU 2.3", "python3", "tensorflow-gpu-2.3-python38", "GPU", "tensorflow"),
    )
}
"""The environments of a new cluster, by display name."""

KINDS = PREINSTALLED | {
    kind.display_name: kind
    for kind in (
        EnvironmentKind("Python 3.7 + MXNet 1.3.1", "python3", "mxnet-cu90-1.3.1", "GPU", "mxnet"),
        EnvironmentKind("Selenium 3.141.x with Python 3.7", "python3", "selenium3.141.x-python", "CPU", "selenium"),
    )
}
"""All environments that can be installed, by display name."""

LANGUAGES = {"python2": "Python 2.x (Environments)", "python3": "Python 3.x (Environments)"}


@dataclass(frozen=True, slots=True)
class EnvironmentRecord:
    """One installed environment of this cluster."""

    id: str
    specification_id: str
    created_at: str
    kind: EnvironmentKind


class Environments:
    """The installed environments of this cluster, with random ids."""

    def __init__(self, database: Database) -> None:
        self._database = database
        if not self._known():
            with database.write() as connection:
                for name in PREINSTALLED:
                    _insert(connection, str(uuid.uuid4()), name)
        self.all = self._known()

    def available(self) -> dict[str, EnvironmentKind]:
        """The environments that are not installed, by id of their specification."""
        installed = {each.kind.display_name for each in self.all}
        return {specification_of(name): kind for name, kind in KINDS.items() if name not in installed}

    def install(self, environment_id: str, kind: EnvironmentKind) -> None:
        """Install an environment, with this id."""
        with self._database.write() as connection:
            _insert(connection, environment_id, kind.display_name)
        self.all = self._known()

    def remove(self, environment: EnvironmentRecord) -> None:
        """Uninstall an environment. It can be installed again, with another id."""
        self._database.change("DELETE FROM environments WHERE id = ?", environment.id)
        self.all = self._known()

    def by_id(self, environment_id: object) -> EnvironmentRecord | None:
        """The environment with this id."""
        return next((found for found in self.all if found.id == environment_id), None)

    def by_name(self, display_name: str | None) -> EnvironmentRecord | None:
        """The environment with this display name."""
        return next((found for found in self.all if found.kind.display_name == display_name), None)

    def by_package_set(self, name: object) -> EnvironmentRecord | None:
        """The environment with this package set."""
        return next((found for found in self.all if found.kind.package_set == name), None)

    def by_specification(self, specification_id: str) -> EnvironmentRecord | None:
        """The environment made from this specification."""
        return next((found for found in self.all if found.specification_id == specification_id), None)

    def _known(self) -> list[EnvironmentRecord]:
        rows = self._database.rows("SELECT * FROM environments ORDER BY rowid")
        return [
            EnvironmentRecord(row["id"], row["specification_id"], row["created_at"], KINDS[row["display_name"]]) for row in rows
        ]


def specification_of(display_name: str) -> str:
    """The id of a specification, which is the same on every cluster."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"algorithmia:environment-specification:{display_name}"))


def _insert(connection: sqlite3.Connection, environment_id: str, display_name: str) -> None:
    created_at = datetime.now(timezone.utc).replace(tzinfo=None).isoformat(timespec="milliseconds")
    connection.execute(
        "INSERT INTO environments (id, specification_id, display_name, created_at) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (display_name) DO NOTHING",
        (environment_id, specification_of(display_name), display_name, created_at),
    )
