"""The API under /api/v1. Every route is an `Endpoint`, from which its documentation is made."""
