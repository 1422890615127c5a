"""Test sets of the built-in model and the programs that measure it. Nothing here is ever trained on."""
