"""The landing room: from files to records of text. No SQL, no judgement of values."""
