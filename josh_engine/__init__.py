"""The JOSH algorithm (arXiv 2409.04617): values, the tree, the search, the labels, the rows, the metrics.

Knows no domain, no database and no browser. Read `values`, `tree`, `search.josh`, `extract`: those hold all of JOSH.
"""
