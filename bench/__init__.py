"""Figures: speed and memory of the real parts, measured in one run. See bench/README.md."""
