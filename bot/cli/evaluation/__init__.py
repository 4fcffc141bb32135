"""What `cloister eval` does with a directory of cases."""
