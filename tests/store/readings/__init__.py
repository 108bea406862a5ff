"""How columns are read, told and read again."""
