"""Parts of `algosync drift`."""
