"""The digital keys: one file for each way to prove who sits there, and `credentials` for what people have enrolled.

Promises: every key speaks the protocol of `idp.authenticator` and answers with a national number or a failure that
tells the page nothing. Must not know: idm, sessions, clients, levels asked, Flask, or which simulators are on.
No secret, code or password stands in an exception or a log line of this house.
"""
