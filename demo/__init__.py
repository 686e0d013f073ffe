"""The demo: its world, its relying parties, and one process that starts and ends all of it.

The relying parties speak only HTTP to the provider; the demo imports `idm` to load the world and nothing of the
provider.
"""
