"""The views in a real browser: what ipywidgets cannot say of them. A package, so that its fixtures end with it."""
