"""Chat models, and what stands between them and the search: the journal."""
