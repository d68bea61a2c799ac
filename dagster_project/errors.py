"""Errors that are meant for people: the command line shows them as one line, without a traceback.

Light on purpose (the command line imports it at once). Does not belong here: the errors themselves, each of
which lives in its room.
"""


class CashlessError(Exception):
    """Something a person must put right. The message is one clear line that says what to do."""

    exit_code = 1
