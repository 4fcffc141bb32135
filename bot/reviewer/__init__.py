"""What the stages, ``cloister review`` and ``cloister eval`` share: how a change is read by scanners and models."""
