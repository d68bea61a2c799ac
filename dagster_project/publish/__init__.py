"""Publishing: from audited candidate tables to what BI reads. Nothing here computes or checks a figure."""
