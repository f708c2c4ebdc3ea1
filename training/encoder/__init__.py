"""Makes the pretrained encoder that the service ships: another layout, fewer pieces, fewer bytes.

Stands outside the installed packages: what the service needs of an encoder is its folder.
"""
