"""What a notebook shows that moves: the only room that imports ipywidgets, and only when a view is built.

Views are plain objects (`view.py`), painted at most ten times a second (`refresh.py`), in one look
(`theme.py`). They hold no protocol knowledge: they show the log, and call the lab's own verbs.
"""

from __future__ import annotations

__all__: list[str] = []
