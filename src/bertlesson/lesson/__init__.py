"""What only the lesson uses: its text, its small BERT, its experiments and its files for pages.

These modules need more than the package itself: ``pip install "bertlesson[lesson]"``.
"""
