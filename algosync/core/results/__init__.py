"""The sections of the results document beside a state."""
