"""The guest protocol without any I/O: commands in, frames out; frames in, events out."""
