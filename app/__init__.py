"""The composition root: the only package that knows all others. Pages and the command line call `app.services`."""
