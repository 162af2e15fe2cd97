"""A real JupyterLab and a real Voila in a real browser. A package, so that its fixtures end with it."""
