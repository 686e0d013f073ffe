"""Keys: the master key that seals what is at rest, the keyring that signs, and what stands in each token."""
