"""The warehouse room: the server, the connection to it, its lock and its migrations.

Does not belong here: anything that knows a source, a model or a KPI.
"""
