"""What a client learns of a person: pure functions from person, identity, client and scope to claims.

Promises: one release for ID token, userinfo, introspection and refresh alike; never a claim beyond the scopes that are
both granted and registered. It reads values of `idm`, and imports nothing else of ours.
"""
