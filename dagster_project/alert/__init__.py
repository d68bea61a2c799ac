"""Telling people once: what is wrong now, what they were told, and the messages between the two."""
