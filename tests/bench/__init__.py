"""The bench: how much one core of the provider does, beside npm's `oidc-provider` on the same machine in the same run.

Promises: both are asked the same by the same load generator (`load.mjs`), which checks every answer. The figure to
trust on a shared machine is CPU seconds a request: it hardly moves when others use the cores too.
"""
