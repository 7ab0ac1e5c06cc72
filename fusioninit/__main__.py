"""`python -m fusioninit` is the `fusioninit` command."""

import sys

from fusioninit.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
