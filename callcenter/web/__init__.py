"""The desk's pages and API: aiohttp over `callcenter.desk`. `python -m callcenter.web` is the desk role."""
