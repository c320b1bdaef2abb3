"""Generated from docs/openapi.json by clients/python/generate.py. Do not edit: `make clients` writes it anew."""
