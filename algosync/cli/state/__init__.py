"""The commands of `algosync state`."""
