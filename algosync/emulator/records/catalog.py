"""What the cluster has on record of its algorithms, together."""

from dataclasses import dataclass

from algosync.emulator.records.algorithms import Algorithm, Algorithms
from algosync.emulator.records.as_json import algorithm_object, version_object
from algosync.emulator.records.builds import Build, Builds
from algosync.emulator.records.database import Database
from algosync.emulator.records.environments import Environments
from algosync.emulator.records.secrets import Vault
from algosync.emulator.records.versions import Version, Versions


@dataclass(frozen=True, slots=True)
class Records:
    """Algorithms, their builds, versions and secrets, and the environments they run in."""

    algorithms: Algorithms
    builds: Builds
    versions: Versions
    environments: Environments
    vault: Vault

    @classmethod
    def of(cls, database: Database) -> "Records":
        """All records of one database."""
        return cls(Algorithms(database), Builds(database), Versions(database), Environments(database), Vault(database))

    def published(self, build: Build) -> Version | None:
        """The version made of a build's commit."""
        return self.versions.of_commit(build.algorithm_id, build.commit)

    def current(self, algorithm: Algorithm) -> dict[str, object]:
        """The algorithm with its newest build: what GET, compile and publish answer."""
        build = self.builds.newest(algorithm.id)
        return algorithm_object(algorithm, build, self.published(build) if build else None)

    def public(self, algorithm: Algorithm) -> dict[str, object] | None:
        """The algorithm as everybody sees it, at its newest public version; None where there is none."""
        version = self.versions.resolve(algorithm.id, "latest")
        build = self.builds.of_commit(algorithm.id, version.commit) if version else None
        return version_object(algorithm, build, version) if build else None
