"""The runtimes a cluster offers. Their ids are its own; names and specification ids are the same on every cluster."""

import sqlite3
import uuid
from dataclasses import dataclass
from datetime import datetime, timezone

from algosync.emulator.records.database import Database


@dataclass(frozen=True, slots=True)
class Kind:
    """What is known of an environment by its display name."""

    display_name: str
    language: str
    package_set: str
    machine_type: str = "CPU"
    framework: str = ""
    """A requirement of the template of framework environments, which serve a plain `apply`."""

    @property
    def has_adk(self) -> bool:
        """Whether its template is written for the ADK."""
        return self.language == "python3" and not self.framework


DELIVERED = {
    kind.display_name: kind
    for kind in (
        Kind("Python 2.7", "python2", "python27"),
        Kind("Python 3.6", "python3", "python36"),
        Kind("Python 3.7", "python3", "python37"),
        Kind("Python 3.8", "python3", "python38"),
        Kind("Python 3.9", "python3", "python39"),
        Kind("Python 3.7 + PyTorch 1.7.x", "python3", "pytorch-1.7.x", "GPU", "torch"),
        Kind("Python 3.7 + TensorFlow GPU 1.14", "python3", "tensorflow-gpu-1.14", "GPU", "tensorflow"),
        Kind("Python 3.7 + TensorFlow GPU 2.3", "python3", "tensorflow-gpu-2.3", "GPU", "tensorflow"),
        Kind("Python 3.8 + TensorFlow GPU 2.3", "python3", "tensorflow-gpu-2.3-python38", "GPU", "tensorflow"),
    )
}
"""What a new cluster has installed."""

KINDS = DELIVERED | {
    kind.display_name: kind
    for kind in (
        Kind("Python 3.7 + MXNet 1.3.1", "python3", "mxnet-cu90-1.3.1", "GPU", "mxnet"),
        Kind("Selenium 3.141.x with Python 3.7", "python3", "selenium3.141.x-python", "CPU", "selenium"),
    )
}
"""What it can have."""

LANGUAGES = {"python2": "Python 2.x (Environments)", "python3": "Python 3.x (Environments)"}


@dataclass(frozen=True, slots=True)
class Environment:
    """One installed environment of this cluster."""

    id: str
    specification_id: str
    created_at: str
    kind: Kind


class Environments:
    """The installed environments of this cluster, with random ids."""

    def __init__(self, database: Database) -> None:
        self._database = database
        if not self._known():
            with database.write() as connection:
                for name in DELIVERED:
                    _insert(connection, str(uuid.uuid4()), name)
        self.all = self._known()

    def available(self) -> dict[str, Kind]:
        """What is not installed yet, by its specification's id."""
        installed = {each.kind.display_name for each in self.all}
        return {specification_of(name): kind for name, kind in KINDS.items() if name not in installed}

    def install(self, environment_id: str, kind: Kind) -> None:
        """Add an environment under this id."""
        with self._database.write() as connection:
            _insert(connection, environment_id, kind.display_name)
        self.all = self._known()

    def remove(self, environment: Environment) -> None:
        """Take an environment away; it can be installed again, with another id."""
        with self._database.write() as connection:
            connection.execute("DELETE FROM environments WHERE id = ?", (environment.id,))
        self.all = self._known()

    def by_id(self, environment_id: object) -> Environment | None:
        """The environment with this id."""
        return next((found for found in self.all if found.id == environment_id), None)

    def by_name(self, display_name: str | None) -> Environment | None:
        """The environment with this display name."""
        return next((found for found in self.all if found.kind.display_name == display_name), None)

    def by_package_set(self, name: object) -> Environment | None:
        """The environment that carries this package set."""
        return next((found for found in self.all if found.kind.package_set == name), None)

    def by_specification(self, specification_id: str) -> Environment | None:
        """The environment made from this specification."""
        return next((found for found in self.all if found.specification_id == specification_id), None)

    def _known(self) -> list[Environment]:
        rows = self._database.rows("SELECT * FROM environments ORDER BY rowid")
        return [Environment(row["id"], row["specification_id"], row["created_at"], KINDS[row["display_name"]]) for row in rows]


def specification_of(display_name: str) -> str:
    """The id of a specification: the same on every cluster."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"algorithmia:environment-specification:{display_name}"))


def _insert(connection: sqlite3.Connection, environment_id: str, display_name: str) -> None:
    created_at = datetime.now(timezone.utc).replace(tzinfo=None).isoformat(timespec="milliseconds")
    connection.execute(
        "INSERT INTO environments (id, specification_id, display_name, created_at) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (display_name) DO NOTHING",
        (environment_id, specification_of(display_name), display_name, created_at),
    )
