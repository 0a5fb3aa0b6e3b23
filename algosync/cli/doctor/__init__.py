"""`algosync doctor`: small checks of everything that a command needs. They only read."""
