"""`python tests/perf/benchmark`, and `python -m tests.perf.benchmark`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmark.command import main  # found by the line above

if __name__ == "__main__":
    sys.exit(main())
