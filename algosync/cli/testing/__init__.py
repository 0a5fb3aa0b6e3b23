"""How commands run tests: what the context of a test is made of, which tests run, baselines, and recorded cases."""

from algosync.cli.testing.context import testing_context

__all__ = ["testing_context"]
