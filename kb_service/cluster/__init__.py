"""Parsing, OCR and embedding on other machines by actors of Ray, behind the ports we have.

`actor` does the work, `exchange` carries a request to it and back, `bridge` is the process that
Ray knows, `pool` is the service's side of that process, `ports` what stands in for the local parts.
"""
