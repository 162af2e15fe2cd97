"""JupyterLab, Notebook 7 and Voila in a real browser. A package, so that its fixtures end with it."""
