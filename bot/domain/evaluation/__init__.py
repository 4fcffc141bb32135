"""How good reviews are, judged by cases whose answers are known."""
