"""Places that a knowledge base can follow, beside folders of this machine."""
