"""The handshake laboratory: attempts, evidence, rules, diagnosis. Pure, but for `perform.py`."""
