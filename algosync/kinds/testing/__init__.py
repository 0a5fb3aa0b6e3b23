"""How the tests of one algorithm run: which version is called, the calls, the limits, and the error of a test that failed."""
