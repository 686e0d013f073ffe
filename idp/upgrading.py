"""The database is brought to the newest version, and the first signing keys are made.

Promises: does nothing where nothing is to be done; may run on several machines at once. Part of the composition.
"""

from idp.composition import House, all_metadata
from idp.migrations.history import upgrade


def migrate(house: House) -> None:
    """Run the steps that are missing; at first start, make a signing key of each algorithm."""
    upgrade(house.engine, all_metadata())
    house.keyring.make_first()
