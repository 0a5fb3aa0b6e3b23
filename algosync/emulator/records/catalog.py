"""All records about algorithms in one object."""

from dataclasses import dataclass

from algosync.emulator.records.algorithms import Algorithm, Algorithms
from algosync.emulator.records.as_json import algorithm_object, version_object
from algosync.emulator.records.builds import BuildRecord, Builds
from algosync.emulator.records.database import Database
from algosync.emulator.records.environments import Environments
from algosync.emulator.records.secrets import Secrets
from algosync.emulator.records.versions import VersionRecord, Versions


@dataclass(frozen=True, slots=True)
class Catalog:
    """Algorithms, their builds, versions and secrets, and the environments they run in."""

    algorithms: Algorithms
    builds: Builds
    versions: Versions
    environments: Environments
    secrets: Secrets

    @classmethod
    def of(cls, database: Database) -> "Catalog":
        """The records of one database."""
        return cls(Algorithms(database), Builds(database), Versions(database), Environments(database), Secrets(database))

    def published(self, build: BuildRecord) -> VersionRecord | None:
        """The version published from a build's commit."""
        return self.versions.of_commit(build.algorithm_id, build.commit)

    def current(self, algorithm: Algorithm) -> dict[str, object]:
        """The algorithm with its newest build, as GET, compile and publish return it."""
        build = self.builds.newest(algorithm.id)
        return algorithm_object(algorithm, build, self.published(build) if build else None)

    def public(self, algorithm: Algorithm) -> dict[str, object] | None:
        """The algorithm at its newest public version, as other users see it; None if there is none."""
        version = self.versions.resolve(algorithm.id, "latest")
        build = self.builds.of_commit(algorithm.id, version.commit) if version else None
        return version_object(algorithm, build, version) if build else None
