"""The `fusioninit` command: a thin face over the Python API, with the exit statuses of a contract.

0 done; 2 wrong use; 3 an input that cannot be used; 4 done, but the result failed its own checks.
With `--json`, standard output holds one JSON object and nothing else; all else goes to stderr.
"""
