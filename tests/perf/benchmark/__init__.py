"""The benchmarks: algosync beside its peers, in one run. `python tests/perf/benchmark --help` tells how to run them."""
