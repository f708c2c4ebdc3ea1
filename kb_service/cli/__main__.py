"""`python -m kb_service.cli`: the same as the `kb` script."""

from kb_service.cli import main

main()
