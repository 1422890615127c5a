"""Forward-only migrations."""
