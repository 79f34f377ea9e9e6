//! What `pyproject.toml` says that decides what an install reads.
