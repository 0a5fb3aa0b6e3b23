"""What the cluster has on record of its algorithms, together."""

from dataclasses import dataclass

from algosync.emulator.algorithms import Algorithm, Algorithms
from algosync.emulator.builds import Build, Builds
from algosync.emulator.database import Database
from algosync.emulator.environments import Environments
from algosync.emulator.vault import Vault
from algosync.emulator.versions import Version, Versions
from algosync.emulator.wire import algorithm_object, version_object


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
