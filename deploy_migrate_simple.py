"""Bring the database to the newest schema: ``python deploy_migrate_simple.py``.

The address is DATABASE_URL, or ``--url``. It is safe to run again: nothing is done twice.
"""

import sys

from skileez.cli import main

if __name__ == "__main__":
    main(["migrate", *sys.argv[1:]])
