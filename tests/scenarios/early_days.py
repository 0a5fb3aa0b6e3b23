"""Publishes an algorithm on a cluster with a script as in the platform's first years, without algosync.

Environment: FQDN is the bare domain, ALGORITHMIA_API_KEY the key of the algorithm's owner, and ADMIN_API_KEY an administration key.
Arguments: the algorithm's name, the display name of its environment, its source, a model. Prints a line for each step.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from typing import Any

import Algorithmia
import requests
from Algorithmia.errors import AlgorithmException, ApiError

FQDN = os.environ["FQDN"]
SITE, API, GIT = f"https://{FQDN}", f"https://api.{FQDN}", f"git.{FQDN}"
KEY = os.environ["ALGORITHMIA_API_KEY"]
ADMIN = {"Authorization": os.environ["ADMIN_API_KEY"]}
ENVIRONMENTS = SITE + "/webapi/v1/algorithm-environments"
DETAILS = {"label": "QA"}
PAYLOAD = {"name": "early days"}
TRIES = 60


def environment(display_name: str) -> str:
    """The id of an environment, which is installed if necessary."""

    def find(listing: str) -> Any:
        reply = requests.get(f"{ENVIRONMENTS}/environments/{listing}", headers=ADMIN)
        reply.raise_for_status()
        return next((each for each in reply.json() if each["display_name"] == display_name), None)

    installed = find("current")
    if installed is None:
        syncs = f"{ENVIRONMENTS}/environment-specifications/{find('available')['environment_specification_id']}/syncs"
        started = requests.post(syncs, headers=ADMIN)
        assert started.status_code == 202, started.text
        for _ in range(TRIES):
            result = requests.get(f"{syncs}/{started.text}", headers=ADMIN).json()["sync_result"]
            if result == "succeeded" or "failed" in result:
                break
            time.sleep(1)
        print("environment", result)
        installed = find("current")
    return str(installed["id"])


def create(algorithm: Any, environment_id: str) -> None:
    try:
        algorithm.info()
        print("algorithm exists")
    except ApiError:
        # This client does not report why.
        settings = {
            "source_visibility": "closed",
            "license": "apl",
            "algorithm_environment": environment_id,
            "network_access": "full",
            "pipeline_enabled": True,
        }
        algorithm.create(DETAILS, settings)
        print("algorithm created")


def upload(client: Any, directory: str, model: str) -> None:
    """Upload a model and compare what is stored with the file."""
    if not client.dir(directory).exists():
        client.dir(directory).create()
    name = os.path.basename(model)
    client.file(f"{directory}/{name}").putFile(model)
    with open(model, "rb") as file:
        assert client.file(f"{directory}/{name}").getBytes() == file.read()
    print("data", [file.url for file in client.dir(directory).files()])


def push(user: str, name: str, source: str) -> None:
    """With the key in the URL, as scripts did it then."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["git", "clone", f"https://{user}:{KEY}@{GIT}/git/{user}/{name}.git", folder], check=True)
        shutil.rmtree(f"{folder}/src")
        os.mkdir(f"{folder}/src")
        open(f"{folder}/src/__init__.py", "w").close()
        shutil.copy(source, f"{folder}/src/{name}.py")
        open(f"{folder}/requirements.txt", "w").close()
        subprocess.run(["git", "add", "."], cwd=folder, check=True)
        done = subprocess.run(["git", "commit", "-m", "automatic"], cwd=folder, check=False, stdout=subprocess.PIPE, text=True)
        if "nothing to commit" in done.stdout:
            print("source unchanged")
            return
        pushed = subprocess.run(["git", "push", "origin", "master"], cwd=folder, check=True, stderr=subprocess.PIPE, text=True)
        print("source pushed:", [line.rstrip() for line in pushed.stderr.splitlines() if line.startswith("remote:")][-1])


def test(client: Any, user: str, name: str, commit: str) -> Any:
    for _ in range(TRIES):
        try:
            return client.algo(f"{user}/{name}/{commit}").pipe(PAYLOAD).result
        except AlgorithmException as error:
            if "version hash" not in str(error):
                raise
            time.sleep(1)
    raise SystemExit("the build takes too long")


def publish(algorithm: Any) -> None:
    try:
        version = {"sample_input": json.dumps(PAYLOAD), "sample_output": "", "release_notes": "QA", "version_type": "minor"}
        published = algorithm.publish(DETAILS, {"algorithm_callability": "private"}, version)
        print("published", published.version_info.semantic_version)
    except ApiError as error:
        if "Version already published" not in str(error):
            raise
        print("published before")


def main(name: str, display_name: str, source: str, model: str) -> None:
    client = Algorithmia.client(KEY, API)
    user = client.username()
    algorithm = client.algo(f"{user}/{name}")
    create(algorithm, environment(display_name))
    upload(client, f"data://{user}/{name}", model)
    push(user, name, source)
    commit = algorithm.info().version_info.git_hash
    print("answer", test(client, user, name, commit))
    publish(algorithm)
    print("live", client.algo(f"{user}/{name}/latestPrivate").pipe(PAYLOAD).result)


main(*sys.argv[1:])
