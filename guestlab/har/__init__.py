"""HTTP Archives (HAR 1.2): their structure, read once for diagnosis and log alike. Pure.

`document.py` finds the entries of a file, whole or torn, `entry.py` reads one, `http_text.py` turns an
exchange into the bytes it was and back. The specification is http://www.softwareishard.com/blog/har-12-spec/;
how each tool departs from it stands beside the code that copes with it.
"""

from __future__ import annotations

__all__: list[str] = []
