"""The public shapes of bases, documents, jobs, search hits and answers, for HTTP and `--json`."""
