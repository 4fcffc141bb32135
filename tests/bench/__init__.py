"""Measure a real `cloister up` against the demo GitLab and a scripted model: ``python -m tests.bench``.

Nothing here is an assertion. The stand-ins run in the measuring process, so that memory and latency are those
of the product alone; both share the machine's cores, which makes every figure an upper bound.
"""
