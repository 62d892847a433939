"""``python -m skileez`` is the command ``skileez``."""

from skileez.cli import main

main(prog_name="skileez")
