"""The flows: each endpoint's story, from a parsed request to an answer; the order of steps is written once, in each."""
