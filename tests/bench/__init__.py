"""Measure a real `cloister up` against the demo GitLab and a scripted model: ``python -m tests.bench``.

Nothing here is an assertion. The stand-ins run in the measuring process and webhooks come from another one, so that
memory and latency are those of the product alone; all share the machine's cores, which makes every time an upper bound
and every rate a lower one.
"""
