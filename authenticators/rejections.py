"""The ways in which a card's token fails, each under one name: for the log, never for the page.

Promises: closed; whoever catches `Rejected` has caught them all. A rejection repeats nothing of what was sent.
"""


class Rejected(Exception):
    """The token proves nothing."""


class Malformed(Rejected):
    """It is not a Web eID token of a version we read, or its certificate cannot be read."""


class WrongAlgorithm(Rejected):
    """The algorithm is unknown, or is not that of the card's key."""


class WrongSignature(Rejected):
    """The card did not sign this challenge at this origin."""


class Untrusted(Rejected):
    """No issuer that we trust has issued the certificate."""


class NotValidNow(Rejected):
    """The certificate, or that of its issuer, has not begun or has ended."""


class NotForSigningIn(Rejected):
    """The certificate was issued for something else."""


class NoNumber(Rejected):
    """The certificate names no Belgian national number."""
