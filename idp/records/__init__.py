"""Durable records: what must outlive a lost Redis: clients, signing keys, sessions, grants, consents.

One file a kind, each with the SQL of its own table (`tables.py`); what is read on every request is held in memory and
refreshed when it has changed.
"""
