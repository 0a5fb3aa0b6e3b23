"""The commands of `algosync emulator`, and the local clusters that they and `--destination local` use."""
