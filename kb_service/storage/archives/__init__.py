"""One base as one archive: written while serving, checked and brought back."""
