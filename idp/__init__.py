"""The provider (ACM): signs people in, says for whom they act, and issues the tokens that tell it.

It asks `claims` and `idm`; it never knows which digital keys exist (only `__main__` does).
"""
