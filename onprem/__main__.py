"""`python -m onprem`."""

from onprem.cli.main import main

main()
