"""Pulls from databases: a query's new rows become a file of the landing. What is in the file is read like any other."""
