"""The commands of the program. A command is one module: its signature, one verb of the engine, and one view."""
