"""A simulated itsme: the other side of its protocol, with the telephones of the invented people.

Promises: checks all that the real one does, so that a fault of the relying party fails here. Must not know: the relying
party beyond its registration and its published keys; nothing here is shared with it, so that no misreading is either.
"""
