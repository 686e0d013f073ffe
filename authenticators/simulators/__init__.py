"""The other side of each key, invented: a card reader with cards, a phone's inbox, an app, a clock that can be set.

Promises: whatever is simulated goes through the real key, which checks it as it checks the real thing. Mounted only
while simulators are on. Must not know: Flask, idm, how the demo world is written down.
"""
